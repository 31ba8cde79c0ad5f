from train import train

train(None, "cuda:0")
