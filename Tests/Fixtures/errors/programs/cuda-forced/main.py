import torch
torch.zeros(2).to("cuda")
