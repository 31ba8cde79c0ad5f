import torch.nn as nn

criterion = nn.DiceLoss()
