class UNet:
    layers = [1, 2
    def forward(self): return self.layers
