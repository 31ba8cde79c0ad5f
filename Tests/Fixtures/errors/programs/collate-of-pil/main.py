import os
import tempfile
from PIL import Image
from torch.utils.data import DataLoader
from dataset import RetinaDataset

folder = tempfile.mkdtemp()
for i in range(4):
    Image.new("RGB", (16, 16), (i, i, i)).save(os.path.join(folder, f"{i}.png"))
loader = DataLoader(RetinaDataset(folder), batch_size=2, shuffle=True)
for batch in loader:
    print(batch["image"].shape)
