import torch
from torchvision import transforms

convert = transforms.ToTensor()
print(convert(torch.zeros(1, 8, 8)).shape)
