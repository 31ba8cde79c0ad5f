import torch
import torch.nn as nn

class SelfAttention2d(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.q = nn.Conv2d(channels, 1, 1)
        self.k = nn.Conv2d(channels, 1, 1)
        self.v = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        q, k, v = (f(x).flatten(2) for f in (self.q, self.k, self.v))
        weights = torch.softmax(q.transpose(1, 2) @ k, dim=-1)
        return (v @ weights.transpose(1, 2)).view_as(x)
