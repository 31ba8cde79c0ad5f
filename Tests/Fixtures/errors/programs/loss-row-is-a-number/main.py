import os, tempfile
import torch
from train import write_losses

model = torch.nn.Conv2d(1, 1, 3, padding=1)
x = torch.rand(2, 1, 8, 8)
history = {"train_loss": [torch.nn.functional.mse_loss(model(x), x).item() for _ in range(3)]}
write_losses(history, os.path.join(tempfile.mkdtemp(), "loss.xlsx"))
