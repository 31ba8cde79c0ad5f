from torch import nn

class UNet(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.head = nn.Conv2d(channels, classes, 1)
