from model import build_unet

model = build_unet()
model.save_weights("/out/unet_model.h5")
