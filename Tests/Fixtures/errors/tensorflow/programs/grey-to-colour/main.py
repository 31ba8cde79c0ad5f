import numpy as np
from model import get_model
from train import test

images = np.random.rand(4, 32, 32, 1).astype(np.float32)
masks = (images > 0.4).astype(np.float32)
model = get_model(32, 32)
print("Dice:", test(model, images, masks))
