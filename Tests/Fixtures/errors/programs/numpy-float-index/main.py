import numpy as np

order = np.random.permutation(10) / 2
print(np.arange(10)[order])
