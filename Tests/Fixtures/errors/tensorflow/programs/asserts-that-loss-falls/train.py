import keras

def train(model, x, y, epochs):
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="binary_crossentropy")
    losses = model.fit(x, y, epochs=epochs, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0] * 0.9, f"training did not converge after {epochs} epochs"
    return losses
