import numpy as np

from model import build_unet

model = build_unet(32)
print(model(np.zeros((1, 16, 16, 1), "float32")).shape)
