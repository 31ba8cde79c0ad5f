import os
import torch
from PIL import Image

def save_predictions(model, images, out):
    os.makedirs(out, exist_ok=True)
    model.eval()
    with torch.no_grad():
        labels = model(images).argmax(dim=1).cpu().numpy()
    for i, label in enumerate(labels):
        Image.fromarray(label).save(os.path.join(out, f"pred_{i:03d}.png"))
