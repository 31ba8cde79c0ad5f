import os
import tempfile
from PIL import Image
from sklearn.model_selection import train_test_split

root = tempfile.mkdtemp()
Image.new("RGB", (16, 16)).save(os.path.join(root, "case_1.png"))
Image.new("L", (16, 16)).save(os.path.join(root, "case_1_mask.png"))

images = sorted(n for n in os.listdir(root) if not n.endswith("_mask.png"))
masks = [n.replace(".png", "_mask.png") for n in images]
train_x, val_x, train_y, val_y = train_test_split(images, masks, test_size=0.2, random_state=42)
print(len(train_x), len(val_x))
