#!/usr/bin/env python3
"""What OpenCV makes of colours and of CLAHE: reads JSON lines, prints one answer a line.

  {"kind": "colours", "rgb": [...]}                                Lab and HSV of the colours, and the colours of these again
  {"kind": "clahe", "w", "h", "grey": [...], "clip", "tiles"}      the equalized picture
"""
import json
import sys

import cv2
import numpy as np


def colours(q):
    rgb = np.array(q["rgb"], np.uint8).reshape(1, -1, 3)
    lab, hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    return {
        "lab": lab.ravel().tolist(), "hsv": hsv.ravel().tolist(),
        "labRGB": cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).ravel().tolist(),
        "hsvRGB": cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).ravel().tolist(),
    }


def clahe(q):
    grey = np.array(q["grey"], np.uint8).reshape(q["h"], q["w"])
    return {"grey": cv2.createCLAHE(q["clip"], (q["tiles"], q["tiles"])).apply(grey).ravel().tolist()}


with open(sys.argv[1]) as lines:
    for line in lines:
        question = json.loads(line)
        print(json.dumps({"colours": colours, "clahe": clahe}[question["kind"]](question)))
