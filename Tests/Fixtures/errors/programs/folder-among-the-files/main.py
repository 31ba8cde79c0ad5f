import os, tempfile
import numpy as np
from PIL import Image
from dataset import ImageDataset

data = tempfile.mkdtemp()
os.makedirs(os.path.join(data, "masks"))
for i in range(2):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(os.path.join(data, f"{i}.png"))
dataset = ImageDataset(data)
print(sum(dataset[i].mean() for i in range(len(dataset))))
