import tensorflow as tf

rate = tf.keras.experimental.CosineDecay(1e-3, 100)
