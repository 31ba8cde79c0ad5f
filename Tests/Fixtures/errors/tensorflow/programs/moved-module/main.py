import numpy as np
from dataset import augment

batch = np.random.randint(0, 256, (2, 16, 16, 3)).astype("float32")
print(augment(batch).shape)
