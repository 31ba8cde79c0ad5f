#!/usr/bin/env python3
"""Writes a PNG of every kind by hand, byte by byte, and expected.json: the 8-bit pixels that each of them means. No library but zlib."""
import json
import pathlib
import random
import struct
import zlib

HERE = pathlib.Path(__file__).parent
W, H = 11, 7
rng = random.Random(5)
expected = {}
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(row, depth):
    bits = "".join(format(v, f"0{depth}b") for pixel in row for v in pixel)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


def write(name, colour, depth, interlaced=False, text=b""):
    top = (1 << depth) - 1
    pixels = [[tuple(rng.randint(0, top) for _ in range(SAMPLES[colour])) for _ in range(W)] for _ in range(H)]
    palette = [tuple(rng.randint(0, 255) for _ in range(3)) for _ in range(top + 1)] if colour == PALETTE else None
    rows = pixels
    if interlaced:
        rows = [r for x, y, dx, dy in ADAM7 for r in ([row[x::dx] for row in pixels[y::dy]]) if r]
    data = b"".join(b"\0" + pack(row, depth) for row in rows)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, colour, 0, 0, int(interlaced)))
    if palette:
        file += chunk(b"PLTE", bytes(v for entry in palette for v in entry)) + chunk(b"tRNS", b"\x40\x80")
    file += text + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    (HERE / name).write_bytes(file)
    meaning = {GREY: 1, GREY_ALPHA: 1}.get(colour, 3)
    values = []
    for row in pixels:
        for pixel in row:
            colours = palette[pixel[0]] if palette else tuple((v * 255 * 2 + top) // (2 * top) for v in pixel[:meaning])
            values.extend(colours)
    expected[name] = {"width": W, "height": H, "channels": meaning, "depth": depth, "bytes": values}


for depth in (1, 2, 4, 8, 16):
    write(f"grey{depth}.png", GREY, depth)
for depth in (1, 2, 4, 8):
    write(f"palette{depth}.png", PALETTE, depth)
for depth in (8, 16):
    write(f"rgb{depth}.png", RGB, depth)
    write(f"rgba{depth}.png", RGBA, depth)
    write(f"grey-alpha{depth}.png", GREY_ALPHA, depth)
write("grey8-interlaced.png", GREY, 8, interlaced=True)
write("rgb8-interlaced.png", RGB, 8, interlaced=True)
bad = chunk(b"tEXt", b"Comment\0damaged")
write("grey8-bad-text-checksum.png", GREY, 8, text=bad[:-1] + bytes([bad[-1] ^ 1]))
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
