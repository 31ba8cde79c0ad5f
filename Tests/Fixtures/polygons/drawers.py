#!/usr/bin/env python3
"""What OpenCV, scikit-image and scipy make of the questions in a file of JSON lines; prints one answer a line.

  {"kind": "otsu", "grey": [...]}                                          the threshold of both libraries
  {"kind": "watershed", "w", "h", "landscape": [...], "markers": [...]}    the basins
  {"kind": "flow", "nodes", "edges": [[from, to, capacity]]}               the maximum flow from the first node to the last
  {"kind": "blur", "w", "h", "map": [...], "deviation"}                    the Gaussian filter
  {"kind": "grabcut", "w", "h", "rgb": [...], "box": [x, y, w, h]}         the mask
"""
import json
import sys

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_flow
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed


def otsu(q):
    grey = np.array(q["grey"], np.uint8)
    threshold, _ = cv2.threshold(grey[None], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return {"opencv": threshold, "skimage": float(threshold_otsu(grey))}


def basins(q):
    landscape = np.array(q["landscape"]).reshape(q["h"], q["w"])
    return {"basins": watershed(landscape, np.array(q["markers"], np.int32).reshape(landscape.shape)).ravel().tolist()}


def flow(q):
    start, end, capacity = np.array(q["edges"], np.int32).T
    # Entries of the same place add up.
    graph = coo_array((capacity, (start, end)), shape=(q["nodes"], q["nodes"])).tocsr()
    return {"flow": int(maximum_flow(graph.astype(np.int32), 0, q["nodes"] - 1).flow_value)}


def blur(q):
    map_ = np.array(q["map"]).reshape(q["h"], q["w"])
    return {"map": gaussian_filter(map_, q["deviation"], mode="nearest").ravel().tolist()}


def grabcut(q):
    image = np.array(q["rgb"], np.uint8).reshape(q["h"], q["w"], 3)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(image, mask, tuple(q["box"]), np.zeros((1, 65)), np.zeros((1, 65)), 5, cv2.GC_INIT_WITH_RECT)
    return {"mask": (mask & 1).ravel().tolist()}


WORK = {"otsu": otsu, "watershed": basins, "flow": flow, "grabcut": grabcut, "blur": blur}
with open(sys.argv[1]) as lines:
    for line in lines:
        question = json.loads(line)
        print(json.dumps(WORK[question["kind"]](question)))
