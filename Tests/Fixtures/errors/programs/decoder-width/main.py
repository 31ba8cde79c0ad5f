import torch
from model import UNet

def main():
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print("Using device:", device)
    model = UNet().to(device)
    model.eval()
    with torch.no_grad():
        y = model(torch.zeros(1, 1, 64, 64, device=device))
    print("Output shape:", y.shape)

if __name__ == "__main__":
    main()
