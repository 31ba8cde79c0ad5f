import numpy as np

def train(model):
    model.compile(optimizer="adam", loss="mse")
    history = model.fit(np.zeros((4, 16, 16, 1)), np.zeros((4, 16, 16, 1)), verbose=0)
    return history.history["val_loss"]
