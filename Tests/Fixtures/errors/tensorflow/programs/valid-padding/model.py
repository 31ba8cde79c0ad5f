from tensorflow.keras import Model, layers


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, activation="relu")(x)
    return layers.Conv2D(filters, 3, activation="relu")(x)


def build_unet(input_shape=(128, 128, 1)):
    inputs = layers.Input(input_shape)
    c1 = conv_block(inputs, 8)
    p1 = layers.MaxPooling2D()(c1)
    c2 = conv_block(p1, 16)
    u1 = layers.Conv2DTranspose(8, 2, strides=2)(c2)
    m1 = layers.concatenate([u1, c1])
    c3 = conv_block(m1, 8)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(c3)
    return Model(inputs, outputs, name="unet")
