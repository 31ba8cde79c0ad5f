import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tempfile
import numpy as np
from PIL import Image
from dataset import make_dataset

d = tempfile.mkdtemp()
images, masks = [], []
for i, side in enumerate((32, 40, 48)):
    for kind, paths in (("img", images), ("msk", masks)):
        path = os.path.join(d, f"{kind}{i}.png")
        Image.fromarray(np.full((side, side), 200, np.uint8)).save(path)
        paths.append(path)
train_ds = make_dataset(images, masks, batch_size=3)
print(train_ds.element_spec)
for x, y in train_ds:
    print(x.shape, y.shape)
