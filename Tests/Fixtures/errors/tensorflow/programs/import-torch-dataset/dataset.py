import numpy as np
from torch.utils.data import Dataset

class Slices(Dataset):
    pass
