import os, tempfile
import torch
from model import UNet
from train import fit

path = os.path.join(tempfile.mkdtemp(), "best.pt")
fit(UNet(num_classes=2), path)
best = UNet()
best.load_state_dict(torch.load(path))
best.eval()
print(best(torch.rand(1, 1, 16, 16)).shape)
