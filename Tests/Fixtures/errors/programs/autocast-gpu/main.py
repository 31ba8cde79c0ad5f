import torch

with torch.autocast(device_type="gpu"):
    print(torch.rand(2) * 2)
