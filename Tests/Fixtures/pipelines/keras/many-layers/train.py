# train.py
import keras
import numpy as np
from keras import ops


class BinaryCrossentropyDice(keras.losses.Loss):
    """Cross-entropy finds the border, soft Dice does not mind that most pixels are background."""

    def call(self, y_true, y_pred):
        bce = keras.losses.binary_crossentropy(y_true, y_pred)
        overlap = ops.sum(y_true * y_pred)
        dice = (2.0 * overlap + 1.0) / (ops.sum(y_true) + ops.sum(y_pred) + 1.0)
        return ops.mean(bce) + 1.0 - dice


def dice_of_batch(masks, probabilities, threshold):
    prediction = probabilities >= threshold
    truth = masks > 0.5
    total = prediction.sum() + truth.sum()
    return 1.0 if total == 0 else float(2.0 * np.logical_and(prediction, truth).sum() / total)


def dice_scores(model, data, threshold):
    """Mean Dice of each batch."""
    scores = []
    for images, masks in data:
        probabilities = model(images, training=False).numpy()
        scores.append(dice_of_batch(masks.numpy(), probabilities, threshold))
    return scores


class ValidationDice(keras.callbacks.Callback):
    def __init__(self, data, threshold):
        super().__init__()
        self.data, self.threshold = data, threshold
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(dice_scores(self.model, self.data, self.threshold))


def train(model, train_data, val_data, epochs, learning_rate, threshold):
    model.compile(optimizer=keras.optimizers.RMSprop(learning_rate, clipvalue=0.5), loss=BinaryCrossentropyDice())
    watcher = ValidationDice(val_data, threshold)
    history = model.fit(
        train_data, validation_data=val_data, epochs=epochs, verbose=2,
        callbacks=[watcher, keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3)])
    return history.history["loss"], history.history["val_loss"], watcher.rows
