import numpy as np
import torch

@torch.no_grad()
def overlay(model, image):
    """Paints the predicted mask in red over the grey image."""
    prob = torch.sigmoid(model(image[None]))[0].numpy()
    grey = image[0].numpy()
    rgb = np.stack([grey, grey, grey], axis=-1)
    rgb[prob > 0.5] = (1.0, 0.0, 0.0)
    return (rgb * 255).astype(np.uint8)
