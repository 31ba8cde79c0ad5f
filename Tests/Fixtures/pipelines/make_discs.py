"""Writes image and mask PNGs of a bright disc on noise: make_discs.py FOLDER COUNT [SEED]."""

import os
import sys

import numpy
from PIL import Image

folder, count = sys.argv[1], int(sys.argv[2])
random = numpy.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
for name in ("images", "masks"):
    os.makedirs(os.path.join(folder, name), exist_ok=True)
y, x = numpy.mgrid[0:96, 0:80]
for i in range(count):
    cy, cx, r = random.uniform(25, 70), random.uniform(25, 55), random.uniform(8, 16)
    inside = (y - cy) ** 2 + (x - cx) ** 2 < r * r
    image = numpy.clip(80 + 90 * inside + random.normal(0, 25, inside.shape), 0, 255).astype(numpy.uint8)
    Image.fromarray(image).save(os.path.join(folder, "images", f"disc-{i:03d}.png"))
    Image.fromarray((inside * 255).astype(numpy.uint8)).save(os.path.join(folder, "masks", f"disc-{i:03d}.png"))
