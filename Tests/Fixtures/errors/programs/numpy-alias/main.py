import numpy as np

mask = np.zeros((4, 4)).astype(np.float)
