import numpy as np

flat = np.zeros(1000)
image = flat.reshape(32, 32)
