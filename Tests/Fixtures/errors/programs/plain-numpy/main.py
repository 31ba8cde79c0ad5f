import torch
from torch.utils.data import DataLoader
from dataset import NumpyDataset
from model import SmallUNet

model = SmallUNet()
loss_fn = torch.nn.BCEWithLogitsLoss()
for epoch in range(1):
    for image, mask in DataLoader(NumpyDataset(), batch_size=3):
        loss = loss_fn(model(image), mask)
        loss.backward()
