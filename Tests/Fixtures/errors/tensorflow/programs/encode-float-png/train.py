import os
import tensorflow as tf

def save_masks(model, images, out):
    os.makedirs(out, exist_ok=True)
    prob = model(images, training=False)
    for i, p in enumerate(prob):
        mask = tf.where(p > 0.5, 255.0, 0.0)
        tf.io.write_file(os.path.join(out, f"mask_{i}.png"), tf.io.encode_png(mask))
