import os

for name in os.listdir(__file__):
    print(name)
