import tensorflow as tf
from train import get_loss

CONFIG = {"loss": "bce_dice", "lr": 1e-3, "image_size": 32}

model = tf.keras.Sequential([
    tf.keras.Input((CONFIG["image_size"], CONFIG["image_size"], 1)),
    tf.keras.layers.Conv2D(1, 1, activation="sigmoid"),
])
model.compile(optimizer=tf.keras.optimizers.Adam(CONFIG["lr"]), loss=get_loss(CONFIG["loss"]))
print("compiled")
