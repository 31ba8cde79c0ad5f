from train import train
