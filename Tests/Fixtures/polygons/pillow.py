#!/usr/bin/env python3
"""Fills polygons with Pillow: reads a JSON list of outlines, prints each 64 by 64 mask as a line of 0 and 1."""
import json
import sys

from PIL import Image, ImageDraw

for outline in json.load(open(sys.argv[1])):
    image = Image.new("L", (64, 64))
    ImageDraw.Draw(image).polygon([tuple(point) for point in outline], fill=1)
    print("".join(map(str, image.getdata() if not hasattr(image, "get_flattened_data") else image.get_flattened_data())))
