# model.py
import keras
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    """Two convolutions, each with a group norm and a leaky ReLU."""

    def __init__(self, filters, rate=0.0):
        super().__init__()
        self.filters, self.rate = filters, rate
        self.convolutions = [layers.Conv2D(filters, 3, padding="same") for _ in range(2)]
        self.norms = [layers.GroupNormalization(groups=4), layers.LayerNormalization()]
        self.drop = layers.SpatialDropout2D(rate)

    def call(self, x, training=False):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = tf.nn.leaky_relu(norm(convolution(x)), alpha=0.1)
        return self.drop(x, training=training)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "rate": self.rate}


@keras.saving.register_keras_serializable()
class UNet(keras.Model):
    """A strided encoder, a decoder that resizes to the skip connection, a gate on each skip, logits at the end."""

    def __init__(self, widths=(8, 16), **kwargs):
        super().__init__(**kwargs)
        self.widths = list(widths)
        self.down = [Block(w) for w in widths]
        self.reduce = [layers.Conv2D(w, 3, strides=2, padding="same", activation="gelu") for w in widths]
        self.bottom = Block(2 * widths[-1], rate=0.2)
        self.up = [Block(w) for w in reversed(widths)]
        self.squeeze = [layers.Conv2D(w, 1) for w in reversed(widths)]
        self.gates = [layers.Conv2D(1, 1, activation="sigmoid") for _ in widths]
        self.head = layers.Conv2D(1, 1)

    def call(self, x, training=False):
        skips = []
        for block, reduce in zip(self.down, self.reduce):
            x = block(x, training=training)
            skips.append(x)
            x = reduce(x)
        x = self.bottom(x, training=training)
        for block, squeeze, gate, skip in zip(self.up, self.squeeze, self.gates, reversed(skips)):
            x = squeeze(tf.image.resize(x, tf.shape(skip)[1:3]))
            x = tf.concat([x, skip * gate(x)], axis=-1)
            x = block(x, training=training)
        return self.head(x)

    def get_config(self):
        return {**super().get_config(), "widths": self.widths}


def build_unet(size, channels=1, widths=(8, 16)):
    model = UNet(widths)
    model(tf.zeros((1, size, size, channels)))
    return model
