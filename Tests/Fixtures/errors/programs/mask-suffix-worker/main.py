import os
import tempfile
import numpy as np
from skimage import io
from torch.utils.data import DataLoader
from dataset import NucleiDataset

if __name__ == "__main__":
    root = tempfile.mkdtemp()
    for sub, suffix in (("images", ""), ("masks", "_segmentation")):
        os.makedirs(os.path.join(root, sub))
        for i in range(3):
            io.imsave(os.path.join(root, sub, f"n{i}{suffix}.png"), np.full((8, 8), i, np.uint8), check_contrast=False)
    for image, mask in DataLoader(NucleiDataset(root), batch_size=1, num_workers=1):
        print(image.shape, mask.shape)
