import torch

images = torch.rand(10, 1, 8, 8)
order = torch.linspace(0, 9, 5)
print(images[order].shape)
