# dataset.py
import os

import tensorflow as tf


def list_pairs(root):
    """Paths of images and masks, in the sorted order of their names."""
    names = sorted(n for n in os.listdir(os.path.join(root, "images")) if n.endswith(".png"))
    return ([os.path.join(root, "images", n) for n in names], [os.path.join(root, "masks", n) for n in names])


def read_pair(image_path, mask_path, size):
    image = tf.io.decode_png(tf.io.read_file(image_path), channels=1)
    image = tf.image.resize(image, (size, size), method="bilinear") / 255.0
    mask = tf.io.decode_png(tf.io.read_file(mask_path), channels=1)
    mask = tf.image.resize(mask, (size, size), method="nearest")
    return image, tf.cast(mask > 127, tf.float32)


def make_dataset(images, masks, size, batch_size, shuffle=False):
    data = tf.data.Dataset.from_tensor_slices((images, masks))
    if shuffle:
        data = data.shuffle(len(images), seed=7)
    data = data.map(lambda i, m: read_pair(i, m, size), num_parallel_calls=tf.data.AUTOTUNE)
    return data.batch(batch_size).prefetch(1)
