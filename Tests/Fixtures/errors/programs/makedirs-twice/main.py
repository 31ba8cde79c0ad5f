import os

os.makedirs("/out/results")
os.makedirs("/out/results")
