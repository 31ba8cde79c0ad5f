from model import build_unet

build_unet().save("/out/unet_model.tf")
