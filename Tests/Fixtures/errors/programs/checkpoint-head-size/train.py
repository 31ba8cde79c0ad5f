import torch

def fit(model, path):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.rand(2, 1, 16, 16)
    loss = model(x).pow(2).mean()
    loss.backward()
    optimizer.step()
    torch.save(model.state_dict(), path)
