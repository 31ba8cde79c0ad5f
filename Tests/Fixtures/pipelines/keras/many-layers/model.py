# model.py
import keras
from keras import layers, regularizers, ops


def squeeze_and_excite(x, f):
    s = layers.GlobalAveragePooling2D()(x)
    s = layers.Dense(max(2, f // 4), activation="relu")(s)
    s = layers.Dense(f, activation="sigmoid")(s)
    return layers.Multiply()([x, layers.Reshape((1, 1, f))(s)])


def build_unet(size, channels=1, widths=(8, 16)):
    i = keras.Input((size, size, channels))
    a = layers.Conv2D(8, 3, padding="same", kernel_regularizer=regularizers.l2(1e-4))(i)
    a = layers.PReLU(shared_axes=[1, 2])(a)
    a = layers.Conv2D(8, 3, padding="same", dilation_rate=2)(a)
    a = layers.LeakyReLU(negative_slope=0.2)(a)
    p = layers.MaxPooling2D(3, strides=2, padding="same")(a)
    b = layers.Conv2D(16, 3, padding="valid")(p)
    b = layers.ELU()(b)
    b = layers.ZeroPadding2D(1)(b)
    b = layers.BatchNormalization(scale=False)(b)
    b = layers.Activation("swish")(b)
    b = squeeze_and_excite(b, 16)
    b = layers.Dropout(0.3)(b)
    q = layers.AveragePooling2D(2)(b)
    c = layers.Conv2D(32, 3, strides=2, padding="same", activation="selu")(b)
    c = layers.Add()([c, layers.Conv2D(32, 1)(q)])
    c = layers.LayerNormalization()(c)
    d = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="tanh")(c)
    d = layers.Concatenate()([d, b])
    d = layers.Conv2D(16, 3, padding="same", activation="softplus")(d)
    e = layers.UpSampling2D(2, interpolation="nearest")(d)
    e = layers.Cropping2D(1)(layers.ZeroPadding2D(1)(e))
    e = layers.Concatenate()([e, a])
    e = layers.Conv2D(8, 3, padding="same", activation=layers.ReLU(max_value=6.0))(e)
    f = layers.UpSampling2D(2, interpolation="bilinear")(layers.MaxPooling2D(2)(e))
    e = ops.maximum(e, f)
    e = ops.concatenate([e[..., :4], ops.mean(e, axis=-1, keepdims=True)], axis=-1)
    return keras.Model(i, layers.Conv2D(1, 1, activation="sigmoid")(e))
