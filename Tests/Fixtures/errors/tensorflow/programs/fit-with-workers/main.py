import keras
from dataset import Slices
from train import train

model = keras.Sequential([keras.layers.Input((16, 16, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
print(train(model, Slices(), 1))
