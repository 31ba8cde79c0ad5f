#!/usr/bin/env python3
"""Writes small volumes with nibabel and expected.json: the same volumes as nibabel turns them to the nearest RAS axes.

Run with: pip install nibabel==5.4.2 numpy && python make.py
"""
import json
import pathlib

import nibabel as nib
import numpy as np

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(3)
expected = {}


def orientation(codes, spacing):
    affine = np.zeros((4, 4))
    axes = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    for column, code in enumerate(codes):
        row, sign = axes[code]
        affine[row, column] = sign * spacing[column]
    affine[:3, 3] = [-10, 20, 5]
    affine[3, 3] = 1
    return affine


def write(name, dtype, affine, sform=1, qform=0, big=False, scale=None):
    data = rng.integers(0, 100, (3, 4, 5)).astype(dtype)
    if np.dtype(dtype).kind != "u":
        data = (data - 50).astype(dtype)
    if np.dtype(dtype).kind == "f":
        data = data + np.float32(0.25)
    header = nib.Nifti1Header(endianness=">" if big else "<")
    header.set_data_dtype(np.dtype(dtype).newbyteorder(">" if big else "<"))
    image = nib.Nifti1Image(data, affine, header)
    image.set_sform(affine if sform else None, sform)
    image.set_qform(affine if qform else None, qform)
    image.update_header()
    image.header["pixdim"][1:4] = np.sqrt((affine[:3, :3] ** 2).sum(0))
    if scale:
        image.header.set_slope_inter(*scale)
    nib.save(image, HERE / name)
    canonical = nib.as_closest_canonical(nib.load(HERE / name))
    values = canonical.get_fdata().astype(np.float32)
    expected[name] = {
        "size": list(values.shape), "spacing": [float(v) for v in canonical.header.get_zooms()[:3]],
        "voxels": [float(v) for v in values.transpose(2, 1, 0).ravel()],
    }


oblique = orientation("ARS", (1, 2, 3))
angle = np.deg2rad(20)
turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
oblique[:3, :3] = turn @ oblique[:3, :3]
write("uint8-ras.nii.gz", np.uint8, orientation("RAS", (1, 1, 1)))
write("uint8-las.nii", np.uint8, orientation("LAS", (2, 2, 2)))
write("int16-lpi-big.nii", np.int16, orientation("LPI", (1, 1.5, 2)), big=True)
write("int16-scaled.nii.gz", np.int16, orientation("RAS", (1, 1, 1)), scale=(0.5, 7))
write("int32-asr.nii", np.int32, orientation("ASR", (1, 2, 3)))
write("float32-sal-big.nii.gz", np.float32, orientation("SAL", (1, 2, 3)), big=True)
write("float32-qform.nii", np.float32, orientation("PIR", (1, 2, 3)), sform=0, qform=1)
write("uint8-qform-left.nii", np.uint8, orientation("LPS", (1, 1, 2)), sform=0, qform=1)
write("uint8-qform-mirrored.nii", np.uint8, orientation("LAS", (1, 1, 2)), sform=0, qform=1)
write("int16-oblique.nii.gz", np.int16, oblique)
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
