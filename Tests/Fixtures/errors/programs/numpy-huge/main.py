import numpy as np

volume = np.zeros((200_000, 512, 512, 8))
