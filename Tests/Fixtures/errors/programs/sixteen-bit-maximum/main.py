import os, tempfile
import numpy as np
from skimage import io
from dataset import SixteenBit

folder = tempfile.mkdtemp()
for i in range(2):
    io.imsave(os.path.join(folder, f"s{i}.png"), (np.random.rand(20, 20) * 4000).astype(np.uint16), check_contrast=False)
print(SixteenBit(folder)[0].shape)
