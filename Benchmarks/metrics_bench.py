"""The other side of `llmbench bench metrics`: distances by scipy, told to by lines on standard input.

One JSON object a line on standard output answers each command. A command that takes time runs COUNT times.

  load FILE WIDTH HEIGHT    two masks, a byte a pixel, one after the other
  hd95 COUNT                the 95th percentile of the Hausdorff distance, as MedPy computes it: surfaces by erosion, a distance
                            transform of the whole frame for each direction; the larger percentile counts
  hd95-cropped COUNT        the same within the window that holds both masks, with a margin of one pixel
  transform COUNT           the distance transform of the second mask; its sum
"""

import json
import sys
import time

import numpy as np
import scipy
from scipy import ndimage

CROSS = ndimage.generate_binary_structure(2, 1)


def directed(a, b):
    surface_a, surface_b = (mask & ~ndimage.binary_erosion(mask, CROSS) for mask in (a, b))
    return ndimage.distance_transform_edt(~surface_b)[surface_a], ndimage.distance_transform_edt(~surface_a)[surface_b]


def hd95(a, b):
    return max(np.percentile(distances, 95) for distances in directed(a, b))


def cropped(a, b):
    either = a | b
    window = tuple(
        slice(max(int(used[0]) - 1, 0), int(used[-1]) + 2)
        for used in (np.flatnonzero(either.any(axis)) for axis in (1, 0))
    )
    return hd95(a[window], b[window])


WORK = {
    "hd95": hd95,
    "hd95-cropped": cropped,
    "transform": lambda a, b: ndimage.distance_transform_edt(~b).sum(),
}


def main():
    print(json.dumps({"version": scipy.__version__}), flush=True)
    a = b = None
    for line in sys.stdin:
        try:
            name, *arguments = line.split()
            if name == "load":
                file, width, height = arguments
                a, b = np.fromfile(file, np.uint8).reshape(2, int(height), int(width)) != 0
                answer = {}
            else:
                start, cpu = time.perf_counter(), time.process_time()
                for _ in range(int(arguments[0])):
                    value = WORK[name](a, b)
                count = int(arguments[0])
                answer = {
                    "seconds": (time.perf_counter() - start) / count, "cpu": (time.process_time() - cpu) / count,
                    "value": float(value),
                }
        except Exception as error:  # reported to the other side, which ends the run
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
