import torch
from model import UNetSmall

with torch.device("meta"):
    model = UNetSmall()
print("parameters:", sum(p.numel() for p in model.parameters()))
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = model.to(device)
model.eval()
with torch.no_grad():
    output = model(torch.rand(1, 3, 32, 32, device=device))
print(output.shape)
