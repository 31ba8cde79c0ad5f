import os, tempfile
import keras
import numpy as np
from train import fit_and_reload

x = np.random.rand(4, 16, 16, 1).astype("float32")
model = keras.Sequential([keras.layers.Input((16, 16, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
best = fit_and_reload(model, x, (x > 0.5).astype("float32"), os.path.join(tempfile.mkdtemp(), "best.keras"))
print(best.predict(x, verbose=0).mean())
