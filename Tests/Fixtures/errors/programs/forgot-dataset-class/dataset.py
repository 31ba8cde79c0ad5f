import torch

class Slices(Dataset):
    pass
