import numpy as np
import torch
import torch.nn as nn
from PIL import Image
from train import train_step

mask = np.zeros((16, 16), np.uint8)
mask[4:12, 4:12] = 255
image = Image.fromarray(np.dstack([mask // 2] * 3))
model = nn.Conv2d(3, 2, 3, padding=1)
x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float().unsqueeze(0) / 255
y = torch.from_numpy(mask).long().unsqueeze(0)
print(train_step(model, x, y))
