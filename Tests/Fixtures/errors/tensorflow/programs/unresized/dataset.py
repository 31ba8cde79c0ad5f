import tensorflow as tf


def read_pair(image_path, mask_path):
    image = tf.io.decode_png(tf.io.read_file(image_path), channels=1)
    mask = tf.io.decode_png(tf.io.read_file(mask_path), channels=1)
    image = tf.image.convert_image_dtype(image, tf.float32)
    mask = tf.cast(mask > 127, tf.float32)
    image.set_shape([None, None, 1])
    mask.set_shape([None, None, 1])
    return image, mask


def make_dataset(images, masks, batch_size):
    ds = tf.data.Dataset.from_tensor_slices((images, masks))
    return ds.map(read_pair, num_parallel_calls=1).batch(batch_size).prefetch(1)
