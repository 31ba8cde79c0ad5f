from torch import nn

class UNet(nn.Module):
    def __init__(self):
        self.encoder = nn.Conv2d(1, 8, 3)
