import torch
from torch.utils.data import DataLoader, TensorDataset
from train import run_epoch


def collate(samples):
    images = torch.stack([s[0] for s in samples]).cuda(non_blocking=True)
    masks = torch.stack([s[1] for s in samples]).cuda(non_blocking=True)
    return images, masks


dataset = TensorDataset(torch.rand(4, 3, 8, 8), torch.rand(4, 1, 8, 8))
print(run_epoch(DataLoader(dataset, batch_size=2, collate_fn=collate)))
