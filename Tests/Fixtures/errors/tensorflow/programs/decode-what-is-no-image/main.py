import os, tempfile
import numpy as np
from PIL import Image
from dataset import make_dataset

root = tempfile.mkdtemp()
for i in range(2):
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(os.path.join(root, f"a{i}.png"))
with open(os.path.join(root, "labels.csv"), "w") as f:
    f.write("file,label\na0.png,1\n")
for batch in make_dataset(root):
    print(batch.shape)
