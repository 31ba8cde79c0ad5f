import torch
import torch.nn as nn


class UNetWithDenseBottleneck(nn.Module):
    def __init__(self, size=512, channels=64):
        super().__init__()
        self.channels, self.inner = channels, size // 4
        self.encoder = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
        n = channels * self.inner * self.inner
        self.dense = nn.Linear(n, n)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(channels, channels, 4, stride=4), nn.ReLU(), nn.Conv2d(channels, 1, 1))

    def forward(self, x):
        z = self.encoder(x)
        z = self.dense(torch.flatten(z, 1)).view(-1, self.channels, self.inner, self.inner)
        return self.decoder(z)
