from model import UNet

model = UNet(3)
