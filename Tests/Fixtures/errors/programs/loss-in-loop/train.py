import torch
import torch.nn as nn


def train(model, loader, epochs, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for epoch in range(epochs):
        model.train()
        running = 0.0
        for images, masks in loader:
            optimizer.zero_grad()
            logits = model(images)
            loss = nn.BCEWithLogitsLoss(logits, masks)
            loss.backward()
            optimizer.step()
            running += loss.item()
        history.append(running / len(loader))
    return history
