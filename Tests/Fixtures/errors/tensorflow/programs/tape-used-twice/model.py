import keras

def build():
    inputs = keras.Input((16, 16, 1))
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="encoder")(inputs)
    return keras.Model(inputs, keras.layers.Conv2D(1, 1, name="head")(features))
