# model.py
import torch
from torch import nn


class UNet(nn.Module):
    """Encoder and decoder are lists of nn.Sequential; nothing but the wiring stands in forward."""

    def __init__(self, in_channels: int = 1, widths: tuple = (4, 8, 16, 32)):
        super().__init__()

        def stage(i, o):
            layers = []
            for k in range(2):
                layers += [nn.Conv2d(i if k == 0 else o, o, 3, padding="same", bias=False), nn.BatchNorm2d(o), nn.ELU()]
            return nn.Sequential(*layers)

        self.encoder = nn.ModuleList()
        previous = in_channels
        for width in widths[:-1]:
            self.encoder.append(stage(previous, width))
            previous = width
        self.bottleneck = nn.Sequential(nn.MaxPool2d(2), stage(previous, widths[-1]))
        self.decoder = nn.ModuleList()
        previous = widths[-1]
        for width in reversed(widths[:-1]):
            self.decoder.append(nn.ModuleDict({
                "up": nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
                                    nn.Conv2d(previous, width, 1)),
                "block": stage(2 * width, width),
            }))
            previous = width
        self.head = nn.Sequential(nn.Conv2d(previous, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kept = []
        for i, block in enumerate(self.encoder):
            if i > 0:
                x = nn.functional.max_pool2d(x, 2)
            x = block(x)
            kept.append(x)
        x = self.bottleneck(x)
        for level in self.decoder:
            x = level["block"](torch.cat([kept.pop(), level["up"](x)], dim=1))
        return self.head(x)
