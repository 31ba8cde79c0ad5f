import numpy as np

from model import build_unet
from train import dice_loss

model = build_unet()
model.compile(optimizer="adam", loss=dice_loss)
model.fit(np.zeros((4, 16, 16, 1), "float32"), np.zeros((4, 16, 16, 1), "uint8"), verbose=0)
