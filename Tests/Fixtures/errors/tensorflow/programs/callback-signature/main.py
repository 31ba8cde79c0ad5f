import keras
import numpy as np

from model import build_unet

class Dice(keras.callbacks.Callback):
    def on_epoch_end(self, epoch):
        print(epoch)

model = build_unet()
model.compile(optimizer="adam", loss="mse")
model.fit(np.zeros((4, 16, 16, 1)), np.zeros((4, 16, 16, 1)), verbose=0, callbacks=[Dice()])
