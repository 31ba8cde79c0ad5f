import tensorflow as tf

images = tf.zeros((2, 16, 16, 1))
images.cuda()
