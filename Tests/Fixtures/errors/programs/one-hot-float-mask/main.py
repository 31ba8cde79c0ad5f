import torch.nn as nn
from dataset import load
from train import soft_dice_loss

images, masks = load()
model = nn.Conv2d(1, 3, 3, padding=1)
loss = soft_dice_loss(model(images), masks, 3)
loss.backward()
print(loss.item())
