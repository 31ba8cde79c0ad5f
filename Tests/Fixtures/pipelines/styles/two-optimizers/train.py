# train.py
import torch
import torch.nn.functional as F
from tqdm import tqdm


class Alternating:
    def __init__(self, model, slow, fast):
        self.model = model
        self.optimizers = [torch.optim.SGD(model.encoder.parameters(), lr=slow, momentum=0.9),
                           torch.optim.Adam(model.decoder.parameters(), lr=fast)]

    def epoch(self, loader, device, number):
        self.model.train()
        total = 0.0
        for k, (x, y) in enumerate(tqdm(loader, desc=f"training {number}")):
            self.model.zero_grad()
            loss = F.binary_cross_entropy_with_logits(self.model(x.to(device)), y.to(device))
            loss.backward()
            self.optimizers[k % 2].step()
            total += loss.item()
        return total / len(loader)


@torch.no_grad()
def evaluate(model, loader, device, what):
    model.eval()
    loss, dice = 0.0, []
    for x, y in tqdm(loader, desc=what):
        z = model(x.to(device)).cpu()
        loss += F.binary_cross_entropy_with_logits(z, y).item()
        p = (z.sigmoid() > 0.5).float()
        dice.append(float((2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)))
    return loss / len(loader), dice
