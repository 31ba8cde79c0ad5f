import numpy as np
import keras
from dataset import SegSequence

x = np.random.rand(10, 16, 16, 1).astype("float32")
y = (x > 0.5).astype("float32")
model = keras.Sequential([keras.Input((16, 16, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
model.compile("adam", "binary_crossentropy")
model.fit(SegSequence(x, y, 4), epochs=1, verbose=2, shuffle=False)
