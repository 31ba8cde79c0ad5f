import torch
torch.nn.BCEWithLogitsLoss()(torch.zeros(4, 1, 8, 8), torch.zeros(4, 8, 8))
