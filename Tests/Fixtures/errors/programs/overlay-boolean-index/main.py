import torch
import torch.nn as nn
from PIL import Image
from train import overlay

torch.manual_seed(0)
model = nn.Conv2d(1, 1, 3, padding=1)
picture = overlay(model, torch.rand(1, 40, 40))
Image.fromarray(picture).save("/out/overlay.png")
