from model import build_unet

model = build_unet()
model.save("/code/unet_model.keras")
