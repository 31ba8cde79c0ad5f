import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 2)]

optimizer = torch.optim.Adam(Net().parameters(), lr=1e-3)
