import torch

device = torch.device("gpu" if True else "cpu")
