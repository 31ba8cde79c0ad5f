import keras
import numpy as np

class Slices(keras.utils.Sequence):
    def __init__(self, n=6, batch=2, **kwargs):
        super().__init__(**kwargs)
        self.x = np.random.rand(n, 16, 16, 1).astype("float32")
        self.batch = batch

    def __len__(self):
        return len(self.x) // self.batch

    def __getitem__(self, i):
        x = self.x[i * self.batch:(i + 1) * self.batch]
        return x, (x > 0.5).astype("float32")
