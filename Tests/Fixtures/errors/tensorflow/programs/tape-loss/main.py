import numpy as np
import tensorflow as tf
from train import train_step

model = tf.keras.Sequential([
    tf.keras.Input((16, 16, 1)),
    tf.keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
])
opt = tf.keras.optimizers.Adam(1e-3)
x = np.random.rand(4, 16, 16, 1).astype(np.float32)
y = (x > 0.5).astype(np.uint8)
for bx, by in tf.data.Dataset.from_tensor_slices((x, y)).batch(2):
    print(train_step(model, opt, bx, by))
