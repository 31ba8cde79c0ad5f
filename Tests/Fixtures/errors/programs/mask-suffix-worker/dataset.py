from pathlib import Path
from skimage import io
from torch.utils.data import Dataset


class NucleiDataset(Dataset):
    def __init__(self, root):
        self.root = Path(root)
        self.images = sorted((self.root / "images").glob("*.png"))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        path = self.images[index]
        mask = self.root / "masks" / f"{path.stem}_mask.png"
        return io.imread(path), io.imread(mask)
