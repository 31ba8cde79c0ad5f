# model.py
from tensorflow.keras import Model, layers


def conv_block(x, filters):
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def build_unet(size, channels=1, widths=(16, 32)):
    inputs = layers.Input((size, size, channels))
    x, skips = inputs, []
    for width in widths:
        x = conv_block(x, width)
        skips.append(x)
        x = layers.MaxPooling2D((2, 2))(x)
    x = conv_block(x, 2 * widths[-1])
    for width, skip in zip(reversed(widths), reversed(skips)):
        x = layers.UpSampling2D((2, 2), interpolation="bilinear")(x)
        x = layers.concatenate([x, skip])
        x = conv_block(x, width)
    return Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x), name="light_unet")
