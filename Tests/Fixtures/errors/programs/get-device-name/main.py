import torch

print("training on", torch.cuda.get_device_name(0))
