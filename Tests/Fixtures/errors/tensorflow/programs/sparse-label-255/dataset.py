import numpy as np

def load(n=4, size=16):
    rng = np.random.default_rng(0)
    images = rng.random((n, size, size, 1), dtype=np.float32)
    masks = np.where(images[..., 0] > 0.5, 255, 0).astype("int32")
    return images, masks
