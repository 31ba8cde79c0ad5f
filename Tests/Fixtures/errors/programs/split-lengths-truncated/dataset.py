import torch
from torch.utils.data import TensorDataset, random_split

def make_splits(n, seed=42):
    x = torch.rand(n, 1, 8, 8)
    full = TensorDataset(x, (x > 0.5).float())
    n_train, n_val, n_test = int(0.7 * n), int(0.15 * n), int(0.15 * n)
    generator = torch.Generator().manual_seed(seed)
    return random_split(full, [n_train, n_val, n_test], generator=generator)
