import numpy as np

from train import dice_loss

print(dice_loss(np.zeros((2, 16, 16, 1), "float32"), np.zeros((2, 8, 8, 1), "float32")))
