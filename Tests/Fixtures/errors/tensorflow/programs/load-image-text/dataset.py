import keras

def read(path):
    return keras.utils.img_to_array(keras.utils.load_img(path, color_mode="grayscale")) / 255
