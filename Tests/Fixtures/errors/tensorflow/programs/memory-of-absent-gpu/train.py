import keras
import tensorflow as tf

class MemoryLog(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        info = tf.config.experimental.get_memory_info("GPU:0")
        print(epoch, info["peak"] / 2**20, "MiB")
