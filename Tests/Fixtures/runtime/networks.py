"""Ten U-Nets as people write them, small enough to train in a test: name to (model, loss, spatial axes).

Each maps N 1 H W (or N 1 D H W) to logits N 1 H W; the nested and the deeply supervised one return several while training, the
first of which is the finest.
"""

import torch
import torch.nn.functional as F
from torch import nn


def norm(kind, channels, axes=2):
    if kind == "group":
        return nn.GroupNorm(4, channels)
    if kind == "instance":
        return (nn.InstanceNorm2d if axes == 2 else nn.InstanceNorm3d)(channels, affine=True)
    return (nn.BatchNorm2d if axes == 2 else nn.BatchNorm3d)(channels)


class DoubleConv(nn.Sequential):
    def __init__(self, inputs, outputs, kind="batch", activation=nn.ReLU, axes=2, dropout=0.0):
        conv = nn.Conv2d if axes == 2 else nn.Conv3d
        parts = []
        for a, b in ((inputs, outputs), (outputs, outputs)):
            parts += [conv(a, b, 3, padding=1), norm(kind, b, axes), activation()]
        if dropout:
            parts.append(nn.Dropout2d(dropout))
        super().__init__(*parts)


class Residual(nn.Module):
    """He et al. 2016, with a 1 × 1 convolution on the way past."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                                  nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


class SqueezeExcitation(nn.Module):
    """Hu et al. 2018."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, channels // 4), nn.Linear(channels // 4, channels)

    def forward(self, x):
        weight = F.adaptive_avg_pool2d(x, 1).flatten(1)
        weight = torch.sigmoid(self.excite(F.relu(self.squeeze(weight))))
        return x * weight[:, :, None, None]


class AttentionGate(nn.Module):
    """Oktay et al. 2018."""

    def __init__(self, gate, skip, between):
        super().__init__()
        self.gate = nn.Sequential(nn.Conv2d(gate, between, 1), nn.BatchNorm2d(between))
        self.skip = nn.Sequential(nn.Conv2d(skip, between, 1), nn.BatchNorm2d(between))
        self.psi = nn.Sequential(nn.Conv2d(between, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, gate, skip):
        return skip * self.psi(F.relu(self.gate(gate) + self.skip(skip)))


class UNet(nn.Module):
    """Ronneberger et al. 2015, with the variations that the other networks name."""

    def __init__(self, base=8, depth=3, block=DoubleConv, up="transposed", attention=False, excitation=False,
                 supervised=False, axes=2, **options):
        super().__init__()
        widths = [base * 2**level for level in range(depth + 1)]
        conv, transposed = (nn.Conv2d, nn.ConvTranspose2d) if axes == 2 else (nn.Conv3d, nn.ConvTranspose3d)
        self.axes, self.supervised = axes, supervised
        options |= {"axes": 3} if axes == 3 else {}
        self.encoder = nn.ModuleList(block(a, b, **options) for a, b in zip([1] + widths[:-1], widths))
        self.excitation = nn.ModuleList(SqueezeExcitation(w) for w in widths) if excitation else None
        self.up, self.decoder = nn.ModuleList(), nn.ModuleList()
        self.gates = nn.ModuleList() if attention else None
        for low, high in zip(widths[:0:-1], widths[-2::-1]):
            if up == "transposed":
                self.up.append(transposed(low, high, 2, stride=2))
            else:
                mode = {"mode": up} if up == "nearest" else {"mode": up, "align_corners": up == "bilinear"}
                self.up.append(nn.Sequential(nn.Upsample(scale_factor=2, **mode), conv(low, high, 1)))
            if attention:
                self.gates.append(AttentionGate(high, high, high // 2))
            self.decoder.append(block(2 * high, high, **options))
        self.head = conv(base, 1, 1)
        self.side = nn.ModuleList(conv(w, 1, 1) for w in widths[-2:0:-1]) if supervised else None

    def forward(self, x):
        skips = []
        for level, block in enumerate(self.encoder):
            if level:
                x = (F.max_pool2d if self.axes == 2 else F.max_pool3d)(x, 2)
            x = block(x)
            if self.excitation is not None:
                x = self.excitation[level](x)
            skips.append(x)
        skips.pop()
        coarser = []
        for level, (up, block) in enumerate(zip(self.up, self.decoder)):
            x, skip = up(x), skips.pop()
            if self.gates is not None:
                skip = self.gates[level](x, skip)
            x = block(torch.cat([skip, x], 1))
            if self.supervised and level + 1 < len(self.decoder):
                coarser.append(self.side[level](x))
        logits = self.head(x)
        return [logits] + coarser[::-1] if self.supervised and self.training else logits


class Nested(nn.Module):
    """U-Net++ (Zhou et al. 2018) of three levels, with its deep supervision."""

    def __init__(self, base=8):
        super().__init__()
        w = [base, 2 * base, 4 * base]
        self.x00, self.x10, self.x20 = DoubleConv(1, w[0]), DoubleConv(w[0], w[1]), DoubleConv(w[1], w[2])
        self.x01, self.x11 = DoubleConv(w[0] + w[1], w[0]), DoubleConv(w[1] + w[2], w[1])
        self.x02 = DoubleConv(2 * w[0] + w[1], w[0])
        self.heads = nn.ModuleList(nn.Conv2d(w[0], 1, 1) for _ in range(2))

    def forward(self, x):
        def up(y):
            return F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=True)

        x00 = self.x00(x)
        x10 = self.x10(F.max_pool2d(x00, 2))
        x20 = self.x20(F.max_pool2d(x10, 2))
        x01, x11 = self.x01(torch.cat([x00, up(x10)], 1)), self.x11(torch.cat([x10, up(x20)], 1))
        x02 = self.x02(torch.cat([x00, x01, up(x11)], 1))
        return [self.heads[1](x02), self.heads[0](x01)] if self.training else self.heads[1](x02)


def bce(logits, mask):
    return F.binary_cross_entropy_with_logits(logits, mask)


def dice(logits, mask):
    p = torch.sigmoid(logits).flatten(1)
    t = mask.flatten(1)
    return 1 - ((2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)).mean()


def dice_and_bce(logits, mask):
    return bce(logits, mask) + dice(logits, mask)


def focal(logits, mask, alpha=0.75, gamma=2):
    """Lin et al. 2017."""
    entropy = F.binary_cross_entropy_with_logits(logits, mask, reduction="none")
    p = torch.exp(-entropy)
    return ((alpha * mask + (1 - alpha) * (1 - mask)) * (1 - p)**gamma * entropy).mean()


def tversky(logits, mask, alpha=0.3, beta=0.7):
    """Salehi et al. 2017."""
    p = torch.sigmoid(logits)
    hit, extra, missed = (p * mask).sum(), (p * (1 - mask)).sum(), ((1 - p) * mask).sum()
    return 1 - (hit + 1) / (hit + alpha * extra + beta * missed + 1)


def supervised(outputs, mask):
    """Weights halve with each coarser output, whose mask is the nearest pixel's (Isensee et al. 2021)."""
    loss = 0
    for level, logits in enumerate(outputs):
        target = mask if level == 0 else F.interpolate(mask, size=logits.shape[2:], mode="nearest")
        loss = loss + dice_and_bce(logits, target) / 2**level
    return loss


NETWORKS = {
    "plain": (lambda: UNet(), bce, 2),
    "residual": (lambda: UNet(block=Residual), dice_and_bce, 2),
    "attention gates": (lambda: UNet(attention=True), bce, 2),
    "squeeze and excitation": (lambda: UNet(excitation=True), focal, 2),
    "bilinear": (lambda: UNet(up="bilinear", activation=lambda: nn.LeakyReLU(0.01)), bce, 2),
    "nested": (lambda: Nested(), supervised, 2),
    "group norm": (lambda: UNet(kind="group", activation=nn.SiLU, up="bicubic"), tversky, 2),
    "dropout": (lambda: UNet(dropout=0.2), bce, 2),
    "deep supervision": (lambda: UNet(kind="instance", activation=lambda: nn.LeakyReLU(0.01), supervised=True), supervised, 2),
    "3-D": (lambda: UNet(depth=2, axes=3), dice_and_bce, 3),
}
