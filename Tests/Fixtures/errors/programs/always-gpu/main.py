import torch
from model import UNet

DEVICE = "cuda"
BATCH_SIZE = 4


def main():
    torch.manual_seed(42)
    model = UNet().to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(2):
        x = torch.rand(BATCH_SIZE, 1, 32, 32, device=DEVICE)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), (x > 0.5).float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()


main()
