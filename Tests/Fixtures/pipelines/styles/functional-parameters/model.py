# model.py
import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_weight(o, i, k=3):
    w = torch.empty(o, i, k, k)
    nn.init.xavier_uniform_(w)
    return nn.Parameter(w)


class UNet(nn.Module):
    """No layers: parameters in a dictionary, and a forward of functions."""

    SIZES = {"e1": (8, 1), "e2": (16, 8), "m": (24, 16), "d2": (16, 40), "d1": (8, 24)}

    def __init__(self):
        super().__init__()
        self.w = nn.ParameterDict({k: conv_weight(*s) for k, s in self.SIZES.items()})
        self.b = nn.ParameterDict({k: nn.Parameter(torch.zeros(s[0])) for k, s in self.SIZES.items()})
        self.g = nn.ParameterDict({k: nn.Parameter(torch.ones(s[0])) for k, s in self.SIZES.items()})
        self.last = nn.Parameter(0.1 * torch.randn(1, 8, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1))

    def layer(self, x, k):
        # Standardised weights, as in weight standardisation.
        w = self.w[k]
        w = (w - w.mean(dim=(1, 2, 3), keepdim=True)) / (w.std(dim=(1, 2, 3), keepdim=True) + 1e-5)
        x = F.conv2d(x, w, self.b[k], padding=1)
        return torch.tanh(F.group_norm(x, 4, self.g[k]))

    def forward(self, x):
        a = self.layer(x, "e1")
        b = self.layer(F.max_pool2d(a, 2), "e2")
        m = self.layer(F.max_pool2d(b, 2), "m")
        y = m.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        y = self.layer(torch.cat((b, y), 1), "d2")
        y = y.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        y = self.layer(torch.cat((a, y), 1), "d1")
        return F.conv2d(y, self.last, self.bias)
