import numpy as np

parts = [np.zeros((4, 16, 16)), np.zeros((4, 16, 15))]
print(np.concatenate(parts).shape)
