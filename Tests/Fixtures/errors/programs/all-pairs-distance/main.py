import numpy as np
from metrics import hausdorff

a = np.ones((2048, 2048), bool)
b = np.ones((2048, 2048), bool)
print(hausdorff(a, b))
