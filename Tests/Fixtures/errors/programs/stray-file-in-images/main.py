import os, tempfile
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from dataset import FolderDataset

root = tempfile.mkdtemp()
for i in range(3):
    Image.fromarray(np.full((10, 10), i * 50, np.uint8)).save(os.path.join(root, f"cell_{i}.png"))
with open(os.path.join(root, ".DS_Store"), "wb") as f:
    f.write(b"\0\0\0\1Bud1\0\0\x10\0" + bytes(60))
for batch in DataLoader(FolderDataset(root), batch_size=3):
    print(batch.shape)
