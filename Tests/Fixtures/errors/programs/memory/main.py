import numpy as np
np.zeros((1 << 50,), dtype=np.uint8)
