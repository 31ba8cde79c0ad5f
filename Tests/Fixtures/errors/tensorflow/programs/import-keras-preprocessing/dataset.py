from keras.preprocessing.image import ImageDataGenerator

def reader(folder):
    return ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder)
