import tensorflow as tf

from model import attention

attention(tf.zeros((1, 64, 8)), tf.zeros((1, 16, 4)))
