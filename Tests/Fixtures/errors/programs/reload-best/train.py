import torch


def save_best(model, path):
    torch.save(model, path)


def load_best(path, device="cpu"):
    model = torch.load(path, map_location=device)
    model.eval()
    return model
