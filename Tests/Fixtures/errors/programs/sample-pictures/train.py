import os
import numpy as np
from PIL import Image


def save_predictions(probabilities, out_dir):
    """Writes each prediction as a PNG."""
    os.makedirs(out_dir, exist_ok=True)
    for i, p in enumerate(probabilities):
        picture = Image.fromarray(np.squeeze(p) * 255.0)
        picture.save(os.path.join(out_dir, f"prediction_{i:03d}.png"))
