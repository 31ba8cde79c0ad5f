import torch
from torch.utils.data import TensorDataset, random_split

data = TensorDataset(torch.zeros(10, 1))
train, validation, test = random_split(data, [7, 1, 1])
