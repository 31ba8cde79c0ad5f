# dataset.py
from pathlib import Path

from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms
from torchvision.transforms import InterpolationMode


class SegmentationDataset(Dataset):
    def __init__(self, root: str, side: int = 32):
        root = Path(root)
        self.image_paths = sorted((root / "images").glob("*.png"))
        self.mask_paths = [root / "masks" / p.name for p in self.image_paths]
        self.to_image = transforms.Compose([
            transforms.Grayscale(num_output_channels=1),
            transforms.Resize((side, side)),
            transforms.ToTensor(),
        ])
        self.to_mask = transforms.Compose([
            transforms.Resize((side, side), interpolation=InterpolationMode.NEAREST),
            transforms.ToTensor(),
        ])

    def __len__(self) -> int:
        return len(self.image_paths)

    def __getitem__(self, i: int):
        with Image.open(self.image_paths[i]) as im, Image.open(self.mask_paths[i]) as ma:
            return self.to_image(im), (self.to_mask(ma.convert("L")) > 0.5).float()
