import os
import tempfile
import torch
import torch.nn as nn

model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 1))
path = os.path.join(tempfile.mkdtemp(), "best_model.pth")
torch.save({"model": model.state_dict(), "epoch": 3, "dice": 0.88}, path)

checkpoint = torch.load(path, map_location=torch.device("cuda:0"))
model.load_state_dict(checkpoint["model"])
print("restored epoch", checkpoint["epoch"])
