import os, tempfile
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from dataset import ScanDataset

folder = tempfile.mkdtemp()
for i in range(3):
    Image.fromarray(np.full((16, 16), 40 * i, np.uint8)).save(os.path.join(folder, f"{i:02d}.png"))
for batch in DataLoader(ScanDataset(folder), batch_size=1):
    print(batch.mean())
