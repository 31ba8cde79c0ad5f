import torch
from model import UNet
from train import CEDiceLoss

torch.manual_seed(42)
x = torch.rand(4, 1, 32, 32)
y = (x > 0.7).float()
net = UNet(n_classes=2)
criterion = CEDiceLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for step in range(3):
    optimizer.zero_grad()
    loss = criterion(net(x), y)
    loss.backward()
    optimizer.step()
    print(step, loss.item())
