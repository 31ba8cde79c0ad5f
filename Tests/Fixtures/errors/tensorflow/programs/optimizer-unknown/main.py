from model import build_unet

model = build_unet()
model.compile(optimizer="adam_weight_decay", loss="mse")
