import numpy as np

image = np.zeros((32, 32))
mask = np.zeros((16, 16), dtype=bool)
print(image[mask].mean())
