import torch
from torchinfo import summary

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Conv2d(1, 4, 3)
        self.b = torch.nn.Conv2d(8, 1, 3)

    def forward(self, x):
        return self.b(self.a(x))

summary(Net(), input_size=(1, 1, 32, 32))
