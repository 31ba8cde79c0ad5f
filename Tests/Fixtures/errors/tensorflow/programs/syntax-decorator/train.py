import tensorflow as tf

@tf.function
def step(model, images:
    return model(images)
