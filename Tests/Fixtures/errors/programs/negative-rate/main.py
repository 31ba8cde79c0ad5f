import torch

optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=-1e-3)
