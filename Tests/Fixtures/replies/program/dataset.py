from pathlib import Path

from torch.utils.data import Dataset


class SegmentationDataset(Dataset):
    """Pairs of image and mask.

    Usage:
        ds = SegmentationDataset("/data")
    """

    def __init__(self, root):
        self.images = sorted(Path(root, "images").glob("*.png"))

    def __len__(self):
        return len(self.images)
