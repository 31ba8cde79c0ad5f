from model import UNet

UNet()
