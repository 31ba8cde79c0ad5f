import numpy as np

from model import build_unet

output = build_unet()(np.zeros((1, 16, 16, 1), "float32"))
assert output.shape == (1, 1, 16, 16), f"wrong shape {output.shape}"
