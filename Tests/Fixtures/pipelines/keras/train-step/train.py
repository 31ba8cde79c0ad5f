# train.py
import keras
import numpy as np


def dice_of_batch(masks, probabilities, threshold):
    prediction, truth = probabilities >= threshold, masks > 0.5
    total = prediction.sum() + truth.sum()
    return 1.0 if total == 0 else float(2.0 * np.logical_and(prediction, truth).sum() / total)


def dice_scores(model, data, threshold):
    """Mean Dice of each batch."""
    scores = []
    for images, masks in data:
        probabilities = model.predict(images, verbose=0)
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
    model.compile(optimizer=keras.optimizers.SGD(learning_rate, momentum=0.9, nesterov=True))
    watcher = ValidationDice(val_data, threshold)
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=4, min_delta=1e-4, restore_best_weights=True)
    history = model.fit(train_data, validation_data=val_data, epochs=epochs, verbose=2,
                        callbacks=[watcher, stop, keras.callbacks.TerminateOnNaN()])
    return history.history["loss"], history.history["val_loss"], watcher.rows
