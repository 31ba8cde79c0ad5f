import torch
from train import epoch

epoch([{"image": torch.zeros(1), "mask": torch.zeros(1)}])
