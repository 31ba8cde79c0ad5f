# train.py
import keras
import numpy as np
import tensorflow as tf


def focal_tversky(y_true, y_pred):
    """On logits; misses weigh more than false alarms."""
    probability = tf.sigmoid(y_pred)
    hits = tf.reduce_sum(y_true * probability, axis=[1, 2, 3])
    misses = tf.reduce_sum(y_true * (1.0 - probability), axis=[1, 2, 3])
    alarms = tf.reduce_sum((1.0 - y_true) * probability, axis=[1, 2, 3])
    tversky = (hits + 1.0) / (hits + 0.7 * misses + 0.3 * alarms + 1.0)
    return tf.reduce_mean(tf.pow(1.0 - tversky, 0.75))


def loss(y_true, y_pred):
    return focal_tversky(y_true, y_pred) + keras.losses.BinaryCrossentropy(from_logits=True)(y_true, y_pred)


def dice_of_batch(masks, probabilities, threshold):
    prediction = probabilities >= threshold
    truth = masks > 0.5
    total = prediction.sum() + truth.sum()
    return 1.0 if total == 0 else float(2.0 * np.logical_and(prediction, truth).sum() / total)


def dice_scores(model, data, threshold):
    """Mean Dice of each batch."""
    scores = []
    for images, masks in data:
        probabilities = tf.sigmoid(model(images, training=False)).numpy()
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
    steps = epochs * len(train_data)
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-4, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=loss)
    watcher = ValidationDice(val_data, threshold)
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    history = model.fit(train_data, validation_data=val_data, epochs=epochs, verbose=0, callbacks=[watcher, stop])
    return history.history["loss"], history.history["val_loss"], watcher.rows
