import torch
from model import Net

features = {}


def save_features(module, output):
    features["bottleneck"] = output.detach()


model = Net()
model.bottleneck.register_forward_hook(save_features)
mask = model(torch.rand(1, 3, 16, 16))
print(mask.shape, features["bottleneck"].shape)
