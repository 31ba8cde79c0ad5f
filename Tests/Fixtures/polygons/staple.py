#!/usr/bin/env python3
"""Writes staple.json: what ITK's STAPLE makes of random drawings. SimpleITK 2.5.7 in an environment of its own:

    python -m venv /tmp/reference && /tmp/reference/bin/pip install numpy simpleitk
    /tmp/reference/bin/python Tests/Fixtures/polygons/staple.py
"""
import json
import pathlib

import numpy as np
import SimpleITK as sitk

random = np.random.default_rng(5)
cases = []
for width, height, drawings, flips in [(16, 12, 3, 0.1), (20, 20, 5, 0.2), (9, 15, 8, 0.05), (24, 10, 4, 0.3), (12, 12, 6, 0.15)]:
    truth = np.zeros((height, width), np.uint8)
    truth[height // 4:3 * height // 4, width // 5:4 * width // 5] = 1
    masks = [np.where(random.random(truth.shape) < flips * (1 + index / drawings), 1 - truth, truth).astype(np.uint8)
             for index in range(drawings)]
    staple = sitk.STAPLEImageFilter()
    staple.SetForegroundValue(1)
    staple.SetMaximumIterations(100_000)
    probability = sitk.GetArrayFromImage(staple.Execute([sitk.GetImageFromArray(mask) for mask in masks]))
    cases.append({
        "width": width, "height": height, "masks": ["".join(map(str, mask.ravel())) for mask in masks],
        "probability": probability.ravel().tolist(), "sensitivity": list(staple.GetSensitivity()),
        "specificity": list(staple.GetSpecificity()), "iterations": staple.GetElapsedIterations(),
    })
pathlib.Path(__file__).with_name("staple.json").write_text(json.dumps(cases) + "\n")
