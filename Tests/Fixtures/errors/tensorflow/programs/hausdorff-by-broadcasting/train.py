import numpy as np

def hausdorff(pred, mask):
    a = np.argwhere(pred).astype(np.float64)
    b = np.argwhere(mask).astype(np.float64)
    d = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))
    return max(d.min(0).max(), d.min(1).max())
