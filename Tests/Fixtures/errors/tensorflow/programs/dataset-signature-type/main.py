import tensorflow as tf

def pictures():
    yield "not a picture"

data = tf.data.Dataset.from_generator(pictures, output_signature=tf.TensorSpec((), tf.float32))
for batch in data:
    print(batch)
