from model import unet

unet().summary()
