import tensorflow as tf

def read(path):
    data = tf.io.read_file(path)
    image = tf.io.decode_image(data, channels=1, expand_animations=False)
    return tf.image.convert_image_dtype(image, tf.float32)

def make_dataset(folder):
    files = tf.data.Dataset.list_files(folder + "/*", shuffle=False)
    return files.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(2)
