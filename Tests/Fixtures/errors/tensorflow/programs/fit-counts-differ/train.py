import numpy as np

def train(model):
    model.compile(optimizer="adam", loss="mse")
    model.fit(np.zeros((6, 16, 16, 1)), np.zeros((5, 16, 16, 1)), verbose=0)
