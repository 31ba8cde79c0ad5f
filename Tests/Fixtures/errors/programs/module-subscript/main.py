from torch import nn

class UNet(nn.Module):
    pass

first = UNet()[0]
