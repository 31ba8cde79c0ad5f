import numpy as np
height, width = np.zeros((8, 8, 3)).shape
