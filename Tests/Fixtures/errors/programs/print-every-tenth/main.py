import argparse
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
args = parser.parse_args()

weight = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([weight], lr=0.1)
for epoch in range(args.epochs):
    optimizer.zero_grad()
    loss = ((weight - 1) ** 2).sum()
    loss.backward()
    optimizer.step()
    if epoch % (args.epochs // 10) == 0:
        print(epoch, loss.item())
