# train.py
import keras
import numpy as np
import tensorflow as tf
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


def train(model, train_data, val_data, epochs, learning_rate, threshold):
    optimizer, criterion = keras.optimizers.SGD(learning_rate, momentum=0.9), BinaryCrossentropyDice()

    @tf.function
    def step(images, masks):
        with tf.GradientTape() as tape:
            loss = criterion(masks, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    train_losses, val_losses, rows = [], [], []
    for _ in range(epochs):
        train_losses.append(float(np.mean([step(images, masks).numpy() for images, masks in train_data])))
        val_losses.append(float(np.mean([criterion(m, model(i, training=False)).numpy() for i, m in val_data])))
        rows.append(dice_scores(model, val_data, threshold))
    return train_losses, val_losses, rows
