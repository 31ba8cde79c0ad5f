import tensorflow as tf

def read(path):
    return tf.io.decode_png(tf.io.read_file(path), channels=1)

data = tf.data.Dataset.from_tensor_slices(["/data/images/none.png"]).map(read)
for image in data:
    print(image.shape)
