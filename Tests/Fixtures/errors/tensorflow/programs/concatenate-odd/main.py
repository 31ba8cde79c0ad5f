from model import build_unet

build_unet(15)
