import numpy as np
from tensorflow.keras.layers.experimental.preprocessing import RandomFlip, Rescaling


def augment(images):
    return RandomFlip("horizontal", seed=1)(Rescaling(1.0 / 255)(np.asarray(images)))
