import torch

predictions = [torch.zeros(1, 8, 8), torch.zeros(8, 8)]
print(torch.stack(predictions).shape)
