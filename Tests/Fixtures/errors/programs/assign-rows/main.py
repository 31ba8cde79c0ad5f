import numpy as np

volume = np.zeros((10, 32, 32))
volume[0] = np.ones((16, 16))
