import numpy as np
from PIL import Image

overlay = np.random.rand(16, 16, 3)
Image.fromarray(overlay).save("/out/overlay.png")
