import torch

prediction = torch.rand(2, 1, 16, 16)
mask = torch.zeros(2, 16, 16, dtype=torch.bool)
print(prediction[mask].mean())
