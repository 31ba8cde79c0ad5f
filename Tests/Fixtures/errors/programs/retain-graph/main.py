import torch
loss = (torch.ones(3, requires_grad=True) ** 2).sum()
loss.backward()
loss.backward()
