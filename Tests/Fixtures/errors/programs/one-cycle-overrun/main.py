import torch
import torch.nn as nn

epochs, batches = 3, 4
model = nn.Conv2d(1, 1, 3, padding=1)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=epochs)

for epoch in range(epochs):
    for _ in range(batches):
        x = torch.rand(2, 1, 8, 8)
        loss = (model(x) - x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    print(epoch, scheduler.get_last_lr())
