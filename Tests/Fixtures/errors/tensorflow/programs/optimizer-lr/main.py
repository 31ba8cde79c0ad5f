from train import optimizer

optimizer()
