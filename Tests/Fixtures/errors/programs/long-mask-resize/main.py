import torch
import torch.nn as nn
import torch.nn.functional as F


class DeepSupervisionLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.ce = nn.CrossEntropyLoss()

    def forward(self, outputs, mask):
        total = 0.0
        for output in outputs:
            target = mask.unsqueeze(1)
            if output.shape[2:] != mask.shape[1:]:
                target = F.interpolate(target, size=output.shape[2:], mode="bilinear")
            total = total + self.ce(output, target.squeeze(1))
        return total / len(outputs)


criterion = DeepSupervisionLoss()
outputs = [torch.randn(2, 3, s, s) for s in (32, 16, 8)]
mask = torch.randint(0, 3, (2, 32, 32))
print(criterion(outputs, mask))
