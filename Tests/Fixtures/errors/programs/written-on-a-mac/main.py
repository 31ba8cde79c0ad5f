import torch
from model import build

DEVICE = torch.device("mps")

def main():
    model = build().to(DEVICE)
    x = torch.rand(1, 1, 32, 32, device=DEVICE)
    print(model(x).mean().item())

if __name__ == "__main__":
    main()
