import tensorflow as tf
from dataset import make_dataset

total = 0.0
for images, masks in make_dataset():
    total += float(tf.reduce_mean(masks))
print(total)
