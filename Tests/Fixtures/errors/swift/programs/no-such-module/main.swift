import Torch

print(1)
