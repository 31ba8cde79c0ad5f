import tensorflow as tf

data = tf.data.Dataset.from_tensor_slices([1.0])
data = data.shuffle(0)
for item in data:
    print(item)
