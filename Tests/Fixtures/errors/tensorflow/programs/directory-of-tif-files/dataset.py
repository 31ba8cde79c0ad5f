import keras

def make_dataset(folder, size=(32, 32)):
    return keras.utils.image_dataset_from_directory(
        folder, labels=None, color_mode="grayscale", image_size=size, batch_size=2, shuffle=False)
