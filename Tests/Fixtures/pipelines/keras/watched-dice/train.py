# train.py
import os

import numpy as np
import tensorflow as tf
from tensorflow import keras


def dice_coefficient(y_true, y_pred, smooth=1.0):
    """Soft Dice of the whole batch."""
    y_true_f = tf.reshape(tf.cast(y_true, tf.float32), [-1])
    y_pred_f = tf.reshape(y_pred, [-1])
    intersection = tf.reduce_sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (tf.reduce_sum(y_true_f) + tf.reduce_sum(y_pred_f) + smooth)


def iou(y_true, y_pred):
    """Intersection over union of each image, at one half."""
    prediction = tf.cast(y_pred > 0.5, tf.float32)
    both = tf.reduce_sum(y_true * prediction, axis=[1, 2, 3])
    either = tf.reduce_sum(tf.maximum(y_true, prediction), axis=[1, 2, 3])
    return (both + 1e-6) / (either + 1e-6)


def bce_dice_loss(y_true, y_pred):
    bce = keras.losses.BinaryCrossentropy()(y_true, y_pred)
    return 0.5 * bce + 0.5 * (1.0 - dice_coefficient(y_true, y_pred))


def batch_dice(masks, probabilities, threshold):
    prediction, truth = probabilities >= threshold, masks > 0.5
    total = prediction.sum() + truth.sum()
    return 1.0 if total == 0 else float(2.0 * np.logical_and(prediction, truth).sum() / total)


def dice_scores(model, data, threshold):
    """Mean Dice of each batch."""
    scores = []
    for images, masks in data:
        probabilities = model.predict(images, verbose=0)
        scores.append(batch_dice(masks.numpy(), probabilities, threshold))
    return scores


class ValidationDice(keras.callbacks.Callback):
    def __init__(self, data, threshold):
        super().__init__()
        self.data, self.threshold = data, threshold
        self.rows = []

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(dice_scores(self.model, self.data, self.threshold))


def train(model, train_data, val_data, epochs, learning_rate, threshold, out):
    optimizer = keras.optimizers.Nadam(learning_rate=learning_rate, clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=bce_dice_loss, metrics=[dice_coefficient, iou])
    watcher = ValidationDice(val_data, threshold)
    best = os.path.join(out, "best.weights.h5")
    callbacks = [
        watcher,
        keras.callbacks.ModelCheckpoint(
            best, monitor="val_dice_coefficient", mode="max", save_best_only=True, save_weights_only=True),
        keras.callbacks.ReduceLROnPlateau(monitor="val_iou", mode="max", factor=0.5, patience=2, min_lr=1e-6),
        keras.callbacks.EarlyStopping(monitor="val_dice_coefficient", mode="max", patience=5, min_delta=1e-4),
    ]
    history = model.fit(train_data, validation_data=val_data, epochs=epochs, callbacks=callbacks, verbose=2)
    model.load_weights(best)
    return history.history["loss"], history.history["val_loss"], watcher.rows
