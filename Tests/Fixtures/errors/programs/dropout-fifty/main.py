from torch import nn

drop = nn.Dropout2d(50)
