import keras

def step(model, batch):
    with tf.GradientTape() as tape:
        return model(batch)
