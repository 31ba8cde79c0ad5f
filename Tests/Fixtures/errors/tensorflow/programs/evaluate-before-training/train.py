import os
import keras

def evaluate(out, x):
    model = keras.models.load_model(os.path.join(out, "best_model.keras"))
    return model.predict(x, verbose=0)
