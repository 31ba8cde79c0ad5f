import tensorflow as tf
from tensorflow.keras.layers import Input
from tensorflow.keras.models import Model

def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    return tf.keras.activations.relu(x)

def unet(size=32):
    inputs = Input((size, size, 1))
    return Model(inputs, conv_block(inputs, 8))
