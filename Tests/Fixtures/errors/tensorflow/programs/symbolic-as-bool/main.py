import tensorflow as tf

from train import score

data = tf.data.Dataset.from_tensors(tf.zeros((4, 4)))
graph = tf.Graph()
with graph.as_default():
    score(tf.compat.v1.placeholder(tf.float32, (4, 4)))
