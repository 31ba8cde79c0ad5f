import tensorflow as tf
import tensorflow_addons as tfa

print(tfa.__version__)
