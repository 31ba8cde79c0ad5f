import os
import keras
import numpy as np

def run_fold(fold, out, x):
    os.makedirs(os.path.join(out, "logs"))
    model = keras.Sequential([keras.layers.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)])
    model.compile("sgd", "mse")
    log = keras.callbacks.CSVLogger(os.path.join(out, "logs", f"fold{fold}.csv"))
    return model.fit(x, x, epochs=1, verbose=0, callbacks=[log]).history["loss"][-1]
