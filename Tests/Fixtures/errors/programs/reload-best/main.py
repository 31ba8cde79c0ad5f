import os
import tempfile
import torch
from model import UNet
from train import load_best, save_best

best = os.path.join(tempfile.mkdtemp(), "best_model.pth")
save_best(UNet(), best)
print("Saved best model to", os.path.basename(best))
model = load_best(best)
print(model(torch.zeros(1, 1, 8, 8)).shape)
