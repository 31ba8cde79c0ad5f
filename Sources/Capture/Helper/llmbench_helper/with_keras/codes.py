"""Placeholder masks that name their sample.

A pipeline reads images by code that nothing can look into: TensorFlow's own. So the placeholder of each held-out image carries the
image's number, as a pattern of 8 by 6 cells that survives what a pipeline may do to a mask: resizing by nearest neighbour, and
two values. The first row is a mark, two rows hold 16 bits, two hold their complement, the last is the mark's complement. A mask that was
flipped, turned or cropped is recognised as none.
"""

import os

import numpy

COLUMNS, ROWS = 8, 6
MARK = numpy.array([1, 0, 1, 1, 0, 1, 0, 0], bool)


def pattern(number):
    bits = numpy.array([(number >> i) & 1 for i in range(16)], bool).reshape(2, COLUMNS)
    return numpy.concatenate([MARK[None], bits, ~bits, ~MARK[None]])


def encoded(number, height, width):
    """The mask of a number, bytes of 0 and 255."""
    rows = numpy.arange(height) * ROWS // height
    columns = numpy.arange(width) * COLUMNS // width
    return numpy.where(pattern(number)[rows][:, columns], 255, 0).astype(numpy.uint8)


def decoded(mask):
    """The number behind a mask of shape H W, or None."""
    height, width = mask.shape
    if height < 2 * ROWS or width < 2 * COLUMNS or not numpy.isfinite(mask).all():
        return None
    rows = ((numpy.arange(ROWS) + 0.5) * height / ROWS).astype(int)
    columns = ((numpy.arange(COLUMNS) + 0.5) * width / COLUMNS).astype(int)
    low, high = float(mask.min()), float(mask.max())
    if low == high:
        return None
    cells = mask[rows][:, columns] > (low + high) / 2
    bits = cells[1:3].reshape(-1)
    number = sum(1 << i for i, bit in enumerate(bits) if bit)
    return number if numpy.array_equal(cells, pattern(number)) else None


def stage(source, target):
    """Copies the images of a data folder and writes a coded mask for each. Returns the ids by number."""
    import shutil

    from PIL import Image

    names = sorted(n for n in os.listdir(os.path.join(source, "images")) if n.endswith(".png"))
    masks = sorted(n for n in os.listdir(os.path.join(source, "masks")) if n.endswith(".png"))
    if len(names) != len(masks) or len(names) >= 1 << 16:
        raise ValueError(f"{len(names)} images and {len(masks)} masks")
    for part in ("images", "masks"):
        os.makedirs(os.path.join(target, part))
    for number, (name, mask) in enumerate(zip(names, masks)):
        shutil.copyfile(os.path.join(source, "images", name), os.path.join(target, "images", name))
        with Image.open(os.path.join(source, "images", name)) as image:
            width, height = image.size
        Image.fromarray(encoded(number, height, width)).save(os.path.join(target, "masks", mask))
    return [name[: -len(".png")] for name in names]
