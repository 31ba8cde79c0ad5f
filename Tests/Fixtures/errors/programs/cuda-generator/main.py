import argparse
import torch
from torch.utils.data import TensorDataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=42)
args = parser.parse_args()

dataset = TensorDataset(torch.rand(10, 1, 8, 8), torch.rand(10, 1, 8, 8))
generator = torch.Generator(device="cuda").manual_seed(args.seed)
train_set, val_set = random_split(dataset, [8, 2], generator=generator)
print(len(train_set), len(val_set))
