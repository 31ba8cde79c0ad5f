import os
import torch


class Checkpoint:
    """Keeps the weights with the lowest validation loss."""

    def __init__(self, out_dir):
        self.path = os.path.join(out_dir, "checkpoints", "best.pt")
        self.best = float("inf")

    def update(self, model, loss):
        if loss < self.best:
            self.best = loss
            torch.save(model.state_dict(), self.path)
            print(f"saved, val loss {loss:.4f}")
