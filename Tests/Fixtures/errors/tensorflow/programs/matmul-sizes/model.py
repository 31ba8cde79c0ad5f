import tensorflow as tf

def attention(query, key):
    return tf.matmul(query, key, transpose_b=True)
