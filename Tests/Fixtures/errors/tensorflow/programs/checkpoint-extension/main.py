import keras

keras.callbacks.ModelCheckpoint("/out/best.h5", save_best_only=True, save_weights_only=True)
