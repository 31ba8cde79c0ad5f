import keras
from keras import ops

def soft_dice(y_true, y_pred):
    inter = ops.sum(y_true * y_pred)
    return 1 - (2 * inter + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)

def fit_and_reload(model, x, y, path):
    model.compile(optimizer="adam", loss=soft_dice)
    model.fit(x, y, epochs=1, verbose=0)
    model.save(path)
    return keras.models.load_model(path)
