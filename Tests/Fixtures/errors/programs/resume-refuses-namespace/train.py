import torch

def save_checkpoint(path, model, optimizer, epoch, args):
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                "epoch": epoch, "args": args}, path)

def load_checkpoint(path, model):
    state = torch.load(path, map_location="cpu")
    model.load_state_dict(state["model"])
    return state["epoch"]
