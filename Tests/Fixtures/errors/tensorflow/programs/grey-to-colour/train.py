import numpy as np


def dice(a, b):
    return 2 * np.sum(a * b) / (np.sum(a) + np.sum(b) + 1e-7)


def test(model, images, masks):
    predictions = model.predict(images, batch_size=4, verbose=0)
    return [dice(p > 0.5, m) for p, m in zip(predictions, masks)]
