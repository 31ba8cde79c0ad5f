import torch
torch.nn.Linear(10, 2)(torch.zeros(4, 12))
