"""Plans of generated data sets by nnunetv2's own fingerprint and planner.

    python plans.py OUT.json [NAME ...]

Reads datasets.json beside it, writes each data set as an nnU-Net raw folder under a temporary directory, runs
DatasetFingerprintExtractor and ExperimentPlanner of the installed nnunetv2, and stores fingerprints and plans. The numbers of
a case come from a hash of its indices (see `Generated.swift`, which makes the same ones). plans.json beside it is the output
for nnunetv2 2.8.1.
"""
import json
import multiprocessing
import os
import signal
import struct
import sys
import tempfile
from importlib.metadata import version
from multiprocessing.pool import ThreadPool
from pathlib import Path

import numpy as np


# A test starts this with its own signals blocked, and a pool of processes ends its workers by one.
signal.pthread_sigmask(signal.SIG_SETMASK, [])


def hashed(case, index):
    """32 bits of a case and an index (or an array of them)."""
    x = (case * 0x9E3779B1 + np.asarray(index, dtype=np.uint64) * 0x85EBCA77 + 0x165667B1) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & 0xFFFFFFFF
    x ^= x >> 12
    x = (x * 0x297A2D39) & 0xFFFFFFFF
    return x ^ (x >> 15)


def make(spec, case):
    """Image C Z Y X (int32) and labels Z Y X of a case."""
    shape = [s + int(hashed(case, 1000003 + axis)) % (spec["jitter"][axis] + 1) for axis, s in enumerate(spec["shape"])]
    low, count = spec["range"]
    channels = len(spec["channels"])
    index = np.arange(channels * int(np.prod(shape)), dtype=np.uint64).reshape(channels, *shape)
    image = (low + (hashed(case, index) % np.uint64(count)).astype(np.int64)).astype(np.int32)
    z, y, x = np.meshgrid(*[np.arange(s) for s in shape], indexing="ij")
    my, mx = shape[1] * spec["margin"] // 100, shape[2] * spec["margin"] // 100
    inside = (y >= my) & (y < shape[1] - my) & (x >= mx) & (x < shape[2] - mx)
    image *= inside[None]
    labels = np.where((y * 3 // shape[1] == 1) & (x * 3 // shape[2] == 1), 1 + (x + y + case) % (spec["classes"] - 1), 0)
    return image, labels.astype(np.uint8)


def write(spec, folder):
    """The raw folder of a data set."""
    import SimpleITK as sitk
    from skimage import io

    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    ending = ".nrrd" if spec["format"] == "nrrd" else ".png"

    def save(array, path, spacing):
        if ending == ".png":
            io.imsave(path, array[0].astype(np.uint8), check_contrast=False)
            return
        flat = array[0] if len(spacing) == 2 else array
        picture = sitk.GetImageFromArray(flat)
        picture.SetSpacing([float(s) for s in reversed(spacing)])
        sitk.WriteImage(picture, str(path))

    for case in range(spec["cases"]):
        image, labels = make(spec, case)
        spacing = spec["spacings"][case % len(spec["spacings"])]
        name = f"case_{case:04d}"
        if spec["format"] == "rgb":
            save(image[:, 0].transpose(1, 2, 0)[None], folder / "imagesTr" / f"{name}_0000.png", spacing)
        else:
            for channel in range(len(image)):
                save(image[channel], folder / "imagesTr" / f"{name}_{channel:04d}{ending}", spacing)
        save(labels, folder / "labelsTr" / f"{name}{ending}", spacing)
    names = ["background"] + [f"class{i}" for i in range(1, spec["classes"])]
    description = {
        "channel_names": {str(i): c for i, c in enumerate(spec["channels"])},
        "labels": {n: i for i, n in enumerate(names)},
        "numTraining": spec["cases"],
        "file_ending": ending,
    }
    (folder / "dataset.json").write_text(json.dumps(description))


def write_safetensors(path, arrays, meta):
    """A file of 32-bit floats."""
    header, blobs, offset = {"__metadata__": meta}, [], 0
    for name in sorted(arrays):
        array = np.asarray(arrays[name], dtype=np.float32)
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        blobs.append(array.tobytes())
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


class Threads:
    """Worker threads in place of spawned processes: nnunetv2's import takes longer than the work."""

    Pool = ThreadPool


def main():
    out, names = Path(sys.argv[1]), sys.argv[2:]
    specs = json.loads((Path(__file__).parent / "datasets.json").read_text())
    specs = [s for s in specs if not names or s["name"] in names]
    with tempfile.TemporaryDirectory() as root:
        for kind in ("raw", "preprocessed", "results"):
            os.environ[f"nnUNet_{kind}"] = f"{root}/{kind}"
        os.environ["nnUNet_n_proc_DA"] = "1"
        multiprocessing.get_context = lambda kind=None: Threads
        from nnunetv2.experiment_planning.dataset_fingerprint import fingerprint_extractor
        from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner

        class Extractor(fingerprint_extractor.DatasetFingerprintExtractor):
            show_progress_bar = False

        result = {"nnunetv2": version("nnunetv2"), "datasets": {}}
        for number, spec in enumerate(specs, 1):
            name = f"Dataset{number:03d}_{spec['name']}"
            write(spec, Path(root) / "raw" / name)
            extractor = Extractor(number, 1)
            extractor.show_progress_bar = False
            extractor.num_foreground_voxels_for_intensitystats = spec["samples"]
            extractor.run(overwrite_existing=True)
            ExperimentPlanner(number).plan_experiment()
            folder = Path(root) / "preprocessed" / name
            plans = json.loads((folder / "nnUNetPlans.json").read_text())
            plans["configurations"] = {"2d": plans["configurations"]["2d"]}
            fingerprint = json.loads((folder / "dataset_fingerprint.json").read_text())
            result["datasets"][spec["name"]] = {"fingerprint": fingerprint, "plans": plans}
        lines = ",\n".join(f"{json.dumps(n)}: {json.dumps(d, sort_keys=True)}" for n, d in result["datasets"].items())
        out.write_text(f'{{"nnunetv2": {json.dumps(result["nnunetv2"])}, "datasets": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
