import math
import numpy as np
import keras


class SegSequence(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, idx):
        bx, by = [], []
        for i in range(idx * self.batch_size, (idx + 1) * self.batch_size):
            bx.append(self.x[i])
            by.append(self.y[i])
        return np.stack(bx), np.stack(by)
