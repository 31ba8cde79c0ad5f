import os
import tempfile
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from dataset import LungDataset

data = tempfile.mkdtemp()
for part in ("images", "masks"):
    os.mkdir(os.path.join(data, part))
    for k in range(3):
        Image.fromarray(np.full((32, 32), k, np.uint8)).save(os.path.join(data, part, f"lung{k}.png"))
loader = DataLoader(LungDataset(data), batch_size=3, shuffle=True)
images, masks = next(iter(loader))
print(images.shape, masks.shape)
