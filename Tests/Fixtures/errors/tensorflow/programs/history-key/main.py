from model import build_unet
from train import train

train(build_unet())
