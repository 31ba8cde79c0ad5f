import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
import tensorflow as tf


def setup():
    gpus = tf.config.list_physical_devices("GPU")
    print(f"GPUs: {gpus}")
    tf.config.experimental.set_memory_growth(gpus[0], True)
    tf.keras.mixed_precision.set_global_policy("mixed_float16")


def main():
    setup()
    model = tf.keras.Sequential([tf.keras.Input((32, 32, 1)), tf.keras.layers.Conv2D(1, 1)])
    model.summary()


if __name__ == "__main__":
    main()
