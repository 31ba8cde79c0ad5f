#!/usr/bin/env python3
"""What scipy, and MedPy and MONAI where they are installed, make of pairs of masks.

Reads cases as JSON lines from the file it is given, {"w", "h", "sx", "sy", "tolerance", "a", "b"} with masks as hexadecimal bytes, one
a pixel; prints one JSON object a line. Stored values, with MedPy 0.5.2 and MONAI 1.6.1 in an environment of their own:

    python -m venv /tmp/reference && /tmp/reference/bin/pip install scipy medpy monai
    /tmp/reference/bin/python Tests/Fixtures/metrics/surface.py Tests/Fixtures/metrics/surface-cases.jsonl > Tests/Fixtures/metrics/surface.jsonl
"""
import json
import sys

import numpy as np
from scipy import ndimage

try:
    import medpy.metric.binary as medpy
except ImportError:
    medpy = None
try:
    import torch
    from monai import metrics as monai
except ImportError:
    monai = None


def surface_distances(a, b, spacing):
    """Distances of a's surface to b's, by scipy's erosion and distance transform over the whole frame."""
    def edge(mask):
        return mask & ~ndimage.binary_erosion(mask, ndimage.generate_binary_structure(2, 1))
    return ndimage.distance_transform_edt(~edge(b), sampling=spacing)[edge(a)]


def scipy_values(a, b, spacing, tolerance):
    ab, ba = surface_distances(a, b, spacing), surface_distances(b, a, spacing)
    both = np.hstack([ab, ba])
    precision, recall = np.mean(ab <= tolerance), np.mean(ba <= tolerance)
    return {
        "hausdorff": both.max(), "hd95_directions": max(np.percentile(ab, 95), np.percentile(ba, 95)),
        "hd95_together": np.percentile(both, 95), "assd": both.mean(), "masd": (ab.mean() + ba.mean()) / 2,
        "boundary_f1": 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall),
        "surface_dice": np.mean(both <= tolerance), "to_truth": ab.sum(), "to_prediction": ba.sum(),
    }


def overlap_values(a, b):
    tp, fp, fn, tn = (a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()
    values = {"dice": (2 * tp, 2 * tp + fp + fn), "iou": (tp, tp + fp + fn), "precision": (tp, tp + fp),
              "recall": (tp, tp + fn), "specificity": (tn, tn + fp)}
    return {name: float(x) / float(y) if y else 1.0 for name, (x, y) in values.items()}


def medpy_values(a, b, spacing):
    return {
        "medpy_hausdorff": medpy.hd(a, b, voxelspacing=spacing), "medpy_hd95": medpy.hd95(a, b, voxelspacing=spacing),
        "medpy_assd": medpy.assd(a, b, voxelspacing=spacing), "medpy_asd": medpy.asd(a, b, voxelspacing=spacing),
        "medpy_dice": medpy.dc(a, b), "medpy_iou": medpy.jc(a, b), "medpy_precision": medpy.precision(a, b),
        "medpy_recall": medpy.recall(a, b), "medpy_specificity": medpy.specificity(a, b),
    }


def monai_values(a, b, spacing, tolerance):
    x, y = (torch.from_numpy(mask[None, None].astype(np.float64)) for mask in (a, b))
    one = dict(include_background=True, spacing=spacing)
    return {
        "monai_hausdorff": monai.compute_hausdorff_distance(x, y, **one).item(),
        "monai_hd95": monai.compute_hausdorff_distance(x, y, percentile=95, **one).item(),
        "monai_assd": monai.compute_average_surface_distance(x, y, symmetric=True, **one).item(),
        "monai_surface_dice": monai.compute_surface_dice(x, y, [tolerance], **one).item(),
        "monai_dice": monai.compute_dice(x, y, ignore_empty=False).item(),
        "monai_iou": monai.compute_iou(x, y, ignore_empty=False).item(),
    }


def component_values(a):
    four, eight = ndimage.label(a), ndimage.label(a, np.ones((3, 3)))
    def areas(labels, count):
        return sorted(np.bincount(labels.ravel(), minlength=count + 1)[1:].tolist())
    return {"areas4": areas(*four), "areas8": areas(*eight)}


def values(case):
    spacing = (float(case["sy"]), float(case["sx"]))
    a, b = (np.frombuffer(bytes.fromhex(case[key]), np.uint8).reshape(case["h"], case["w"]) != 0 for key in "ab")
    result = overlap_values(a, b) | component_values(a)
    if a.any() and b.any():
        result |= scipy_values(a, b, spacing, case["tolerance"])
        if medpy and (~b).any():
            result |= medpy_values(a, b, spacing)
        if monai:
            result |= monai_values(a, b, spacing, case["tolerance"])
    if b.any():
        result["transform"] = float(ndimage.distance_transform_edt(~b, sampling=spacing).sum())
    return {name: value if isinstance(value, list) else float(value) for name, value in result.items()}


with open(sys.argv[1]) as lines:
    for line in lines:
        print(json.dumps(values(json.loads(line))))
