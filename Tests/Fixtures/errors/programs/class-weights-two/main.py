import torch
import torch.nn as nn

classes = ["background", "liver", "tumor"]
model = nn.Conv2d(1, len(classes), 3, padding=1)
criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.3, 0.7]))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

images = torch.rand(2, 1, 32, 32)
masks = torch.randint(0, 3, (2, 32, 32))
for epoch in range(2):
    optimizer.zero_grad()
    loss = criterion(model(images), masks)
    loss.backward()
    optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
