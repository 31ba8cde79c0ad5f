import torch
from torch.utils.data import DataLoader, TensorDataset
import train as T

EPOCHS = 2
device = torch.device("cpu")
loader = DataLoader(TensorDataset(torch.rand(4, 1, 8, 8), torch.zeros(4, 1, 8, 8)), batch_size=2)
model = torch.nn.Conv2d(1, 1, 3, padding=1).to(device)
criterion = torch.nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(EPOCHS):
    train_loss = T.train_one_epoch(model, loader, optimizer, criterion)
    print(f"[{epoch + 1}/{EPOCHS}] {train_loss:.4f}")
