import torch

def report(history):
    for epoch, row in enumerate(history):
        print(f"epoch {epoch}: loss {row["loss"]:.4f} dice {row["dice"]:.4f}")

def run(model, x, epochs):
    return [{"loss": model(x).mean().item(), "dice": 0.0} for _ in range(epochs)]
