# model.py
import keras
import tensorflow as tf
from keras import layers


def dice_loss(masks, probabilities):
    overlap = tf.reduce_sum(masks * probabilities, axis=(1, 2, 3))
    total = tf.reduce_sum(masks, axis=(1, 2, 3)) + tf.reduce_sum(probabilities, axis=(1, 2, 3))
    return 1.0 - tf.reduce_mean((2.0 * overlap + 1.0) / (total + 1.0))


class ConvBlock(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.first = layers.Conv2D(filters, 3, padding="same")
        self.first_norm = layers.BatchNormalization()
        self.second = layers.Conv2D(filters, 3, padding="same")
        self.second_norm = layers.BatchNormalization()

    def call(self, x, training=None):
        x = tf.nn.relu(self.first_norm(self.first(x), training=training))
        return tf.nn.relu(self.second_norm(self.second(x), training=training))


class UNet(keras.Model):
    """A U-Net that knows how it is trained."""

    def __init__(self, widths=(8, 16)):
        super().__init__()
        self.widths = list(widths)
        self.down = [ConvBlock(w) for w in widths]
        self.pool = layers.MaxPooling2D()
        self.bottom = ConvBlock(2 * widths[-1])
        self.up = [layers.Conv2DTranspose(w, 2, strides=2) for w in reversed(widths)]
        self.join = [ConvBlock(w) for w in reversed(widths)]
        self.head = layers.Conv2D(1, 1, activation="sigmoid")
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.dice_tracker = keras.metrics.Mean(name="dice")

    def call(self, x, training=None):
        skips = []
        for block in self.down:
            x = block(x, training=training)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x, training=training)
        for up, join, skip in zip(self.up, self.join, reversed(skips)):
            x = join(tf.concat([up(x), skip], axis=-1), training=training)
        return self.head(x)

    @property
    def metrics(self):
        return [self.loss_tracker, self.dice_tracker]

    def losses_of(self, masks, probabilities):
        bce = tf.reduce_mean(keras.losses.binary_crossentropy(masks, probabilities))
        dice = dice_loss(masks, probabilities)
        return bce + dice, 1.0 - dice

    def train_step(self, data):
        images, masks = data
        with tf.GradientTape() as tape:
            loss, dice = self.losses_of(masks, self(images, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.loss_tracker.update_state(loss)
        self.dice_tracker.update_state(dice)
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        images, masks = data
        loss, dice = self.losses_of(masks, self(images, training=False))
        self.loss_tracker.update_state(loss)
        self.dice_tracker.update_state(dice)
        return {m.name: m.result() for m in self.metrics}

    def get_config(self):
        return {"widths": self.widths}


def build_unet(size, channels=1, widths=(8, 16)):
    model = UNet(widths)
    model(tf.zeros((1, size, size, channels)))
    return model
