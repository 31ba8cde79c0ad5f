import torch
import torch.nn as nn


class PatchEmbed(nn.Module):
    def __init__(self, image_size=64, patch=8, dim=32):
        super().__init__()
        self.proj = nn.Conv2d(3, dim, patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, (image_size // patch) ** 2, dim))

    def forward(self, x):
        x = self.proj(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.size(0), -1, -1), x], dim=1)
        return x + self.pos_embed


model = nn.Sequential(PatchEmbed(), nn.TransformerEncoderLayer(32, 4, batch_first=True))
tokens = model(torch.rand(2, 3, 64, 64))
print(tokens.shape)
