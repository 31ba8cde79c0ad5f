import tensorflow as tf

with open("/tmp/a.png", "wb") as file:
    file.write(b"nothing")
data = tf.data.Dataset.from_tensor_slices(["/tmp/a.png"]).map(lambda p: tf.io.decode_png(tf.io.read_file(p)))
for image in data:
    print(image.shape)
