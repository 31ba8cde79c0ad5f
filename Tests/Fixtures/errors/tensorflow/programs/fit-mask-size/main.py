import keras
import numpy as np

from model import build_unet

model = build_unet()
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(np.zeros((4, 16, 16, 1)), np.zeros((4, 8, 8, 1)), epochs=1, verbose=0)
