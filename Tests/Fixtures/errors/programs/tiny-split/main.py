import torch
from torch.utils.data import DataLoader, TensorDataset, random_split
from train import train_epoch, validate

data = TensorDataset(torch.rand(9, 1, 16, 16), torch.ones(9, 1, 16, 16))
n_val = n_test = int(0.1 * len(data))
train_set, val_set, test_set = random_split(
    data, [len(data) - n_val - n_test, n_val, n_test], generator=torch.Generator().manual_seed(42))
print(f"train {len(train_set)}, val {len(val_set)}, test {len(test_set)}")
train_loader = DataLoader(train_set, batch_size=4, shuffle=True)
val_loader = DataLoader(val_set, batch_size=4)
model = torch.nn.Conv2d(1, 1, 3, padding=1)
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(1, 3):
    print(f"Epoch {epoch} train {train_epoch(model, train_loader, optimizer):.4f}")
    print(f"Epoch {epoch} val   {validate(model, val_loader):.4f}")
