from tensorflow import keras


def fit(model, x, y, epochs):
    model.compile(keras.optimizers.Adam(1e-3), loss=keras.losses.BinaryCrossentropy())
    history = model.fit(x, y, batch_size=2, epochs=epochs, verbose=2)
    return history.history
