import torch
from model import UNet


def make_trainer(lr):
    model = UNet(1, 1)
    return model, torch.optim.Adam(model.parameters(), lr=lr)
