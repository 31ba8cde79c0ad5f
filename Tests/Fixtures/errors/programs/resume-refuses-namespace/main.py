import argparse, os, tempfile
import torch
from train import load_checkpoint, save_checkpoint

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--out", default=tempfile.mkdtemp())
args = parser.parse_args()

model = torch.nn.Conv2d(1, 1, 3, padding=1)
optimizer = torch.optim.Adam(model.parameters())
path = os.path.join(args.out, "last.pth")
save_checkpoint(path, model, optimizer, 0, args)
print("resumed at", load_checkpoint(path, model))
