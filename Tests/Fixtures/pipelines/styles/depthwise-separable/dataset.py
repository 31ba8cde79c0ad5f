# dataset.py
import csv
import io
import os

import cv2
import numpy
import torch


def index_of(folder):
    """A table of the pairs, as text, to be read again by csv."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, fieldnames=["image", "mask"])
    writer.writeheader()
    for name in sorted(os.listdir(os.path.join(folder, "images"))):
        writer.writerow({"image": os.path.join(folder, "images", name), "mask": os.path.join(folder, "masks", name)})
    lines.seek(0)
    return list(csv.DictReader(lines))


class Table(torch.utils.data.Dataset):
    def __init__(self, rows, edge):
        self.rows, self.edge, self.cache = rows, edge, {}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        if i not in self.cache:
            row = self.rows[i]
            image = cv2.imdecode(numpy.fromfile(row["image"], numpy.uint8), cv2.IMREAD_GRAYSCALE)
            mask = cv2.imdecode(numpy.fromfile(row["mask"], numpy.uint8), cv2.IMREAD_GRAYSCALE)
            image = cv2.resize(image, (self.edge, self.edge))
            mask = cv2.resize(mask, (self.edge, self.edge), interpolation=cv2.INTER_NEAREST)
            low, high = image.min(), image.max()
            image = (image - low) / max(1.0, float(high) - float(low))
            self.cache[i] = (image.astype("f4")[None], (mask > 0).astype("f4")[None])
        return self.cache[i]
