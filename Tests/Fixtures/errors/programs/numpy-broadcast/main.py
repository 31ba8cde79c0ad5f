import numpy as np
np.zeros((3, 4)) + np.zeros((2, 4))
