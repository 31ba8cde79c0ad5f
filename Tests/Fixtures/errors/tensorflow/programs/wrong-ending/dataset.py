import glob
import os
import numpy as np
from PIL import Image


def load_folder(folder, size=(64, 64)):
    arrays = []
    for path in sorted(glob.glob(os.path.join(folder, "*.jpg"))):
        arrays.append(np.asarray(Image.open(path).convert("L").resize(size), dtype=np.float32) / 255.0)
    return np.stack(arrays)[..., None]
