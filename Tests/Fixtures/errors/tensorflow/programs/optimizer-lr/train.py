import keras

def optimizer():
    return keras.optimizers.SGD(lr=0.01, momentum=0.9)
