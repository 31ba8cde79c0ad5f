# dataset.py
import os

import cv2
import numpy as np
import tensorflow as tf


def list_pairs(root):
    """Paths of images and masks, in the sorted order of their names."""
    names = sorted(n for n in os.listdir(os.path.join(root, "images")) if n.endswith(".png"))
    return ([os.path.join(root, "images", n) for n in names], [os.path.join(root, "masks", n) for n in names])


def load_arrays(image_paths, mask_paths, size):
    """(images, masks), N H W 1, all in memory."""
    images, masks = [], []
    for image_path, mask_path in zip(image_paths, mask_paths):
        image = cv2.imread(image_path, cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(mask_path, cv2.IMREAD_GRAYSCALE)
        images.append(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR) / 255.0)
        masks.append(cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST) > 127)
    return np.array(images, np.float32)[..., None], np.array(masks, np.float32)[..., None]


def make_dataset(image_paths, mask_paths, size, batch_size, shuffle=False):
    images, masks = load_arrays(image_paths, mask_paths, size)
    data = tf.data.Dataset.from_tensor_slices((images, masks))
    if shuffle:
        data = data.shuffle(buffer_size=len(images), reshuffle_each_iteration=True)
    return data.batch(batch_size).prefetch(tf.data.AUTOTUNE)
