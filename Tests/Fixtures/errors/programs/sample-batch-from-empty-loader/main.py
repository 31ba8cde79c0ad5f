import torch
from dataset import loaders
from train import plot_examples

train_loader, val_loader = loaders()
model = torch.nn.Conv2d(1, 1, 3, padding=1)
for images, masks in train_loader:
    print(torch.nn.functional.mse_loss(model(images), masks).item())
plot_examples(model, val_loader, "/tmp/examples.png")
