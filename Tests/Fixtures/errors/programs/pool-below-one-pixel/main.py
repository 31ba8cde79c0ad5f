import argparse
import torch
from model import Encoder

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=16)
parser.add_argument("--epochs", type=int, default=1)
args = parser.parse_args()

encoder = Encoder()
bottom, skips = encoder(torch.rand(2, 1, args.size, args.size))
print(bottom.shape, [s.shape for s in skips])
