# model.py
import keras
from keras import layers


def conv_block(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
    return x


def build_unet(size, channels=1, widths=(16, 32, 64)):
    inputs = keras.Input((size, size, channels))
    x, skips = inputs, []
    for width in widths:
        x = conv_block(x, width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = conv_block(x, 2 * widths[-1])
    for width, skip in zip(reversed(widths), reversed(skips)):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = layers.Concatenate()([x, skip])
        x = conv_block(x, width)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs, name="unet")
