import os
import tempfile
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from dataset import PairDataset

root = tempfile.mkdtemp()
for sub, suffix in (("images", ""), ("masks", "_mask")):
    os.makedirs(os.path.join(root, sub))
    for i in range(5):
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(os.path.join(root, sub, f"case_{i:02d}{suffix}.png"))

if __name__ == "__main__":
    loader = DataLoader(PairDataset(root), batch_size=2, shuffle=False, num_workers=1)
    for step, (x, y) in enumerate(loader):
        print(step, x.shape, y.shape)
