import os
import keras


def callbacks(out_dir):
    return [
        keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(
            os.path.join(out_dir, "best_model.h5"), monitor="val_loss",
            save_best_only=True, save_weights_only=True),
    ]
