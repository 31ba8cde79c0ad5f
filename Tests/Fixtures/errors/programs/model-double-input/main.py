import numpy as np
import torch
from model import Net

print(Net()(torch.from_numpy(np.random.rand(4, 8))))
