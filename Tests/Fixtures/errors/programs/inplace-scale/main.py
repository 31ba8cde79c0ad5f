import os
import tempfile
import numpy as np
from PIL import Image
from torch.utils.data import DataLoader
from dataset import SkinDataset

if __name__ == "__main__":
    folder = tempfile.mkdtemp()
    for i in range(4):
        Image.fromarray(np.full((16, 16, 3), i, np.uint8)).save(os.path.join(folder, f"{i}.png"))
    for images in DataLoader(SkinDataset(folder), batch_size=2):
        print(images.mean())
