import keras
import numpy as np

class UNet(keras.Model):
    def forward(self, x):
        return x

UNet()(np.zeros((1, 16, 16, 1), "float32"))
