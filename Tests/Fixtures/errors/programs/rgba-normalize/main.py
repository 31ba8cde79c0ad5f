import os
import tempfile
from PIL import Image
from torch.utils.data import DataLoader
from dataset import ScanDataset

folder = tempfile.mkdtemp()
for i in range(4):
    Image.new("RGBA", (32, 32), (i * 20, 40, 60, 255)).save(os.path.join(folder, f"{i}.png"))
loader = DataLoader(ScanDataset(folder), batch_size=2)
for batch in loader:
    print(batch.shape)
