"""Trains nnunetv2's own 2d configuration on a prepared data set, and predicts its held-out images.

    python agreement.py OUT.safetensors DATASET SIZE EPOCHS ITERATIONS SEED IMAGES [KEPT]

Images and masks are resized to SIZE × SIZE; of the training images (IMAGES of them, 0 for all) every tenth validates. The file
holds images, masks and nnunetv2's predictions, so that another implementation can be trained on the same numbers, and in its
metadata the plan, losses and seconds. With no EPOCHS it holds images, masks and the plan, and nothing is trained. Nothing inside the package is changed: the budget is set on a trainer of its own class.

A training takes a quarter of an hour and more. In the folder KEPT a finished one is found again under the digest of all that it
depends on: the functions below that prepare, train and predict, the data set's files, the arguments and the packages' versions. The
number of threads is not among it: it moves the last bits only, and is in the file. A kept one is a small JSON file (plan, losses,
seconds, packed masks, Dice of each held-out image); images are read again.
"""
import base64
import hashlib
import inspect
import json
import os
import signal
import sys
import tempfile
import time
import zlib
from importlib.metadata import version
from pathlib import Path

signal.pthread_sigmask(signal.SIG_SETMASK, [])
SCRATCH = tempfile.TemporaryDirectory()
for kind in ("raw", "preprocessed", "results"):
    os.environ[f"nnUNet_{kind}"] = f"{SCRATCH.name}/{kind}"
os.environ["nnUNet_n_proc_DA"] = "1"
THREADS = int(os.environ.get("LLMBENCH_THREADS", os.cpu_count()))

import numpy as np
import torch
from PIL import Image

from plans import write_safetensors

NAME = "Dataset001_Agreement"


def read(folder, size, names):
    """Images and masks N H W of 8 bits."""
    images, masks = [], []
    for name in names:
        picture = Image.open(folder / "images" / f"{name}.png").convert("L")
        mask = Image.open(folder / "masks" / f"{name}.png").convert("L")
        images.append(np.asarray(picture.resize((size, size), Image.BILINEAR)))
        masks.append((np.asarray(mask.resize((size, size), Image.NEAREST)) > 0).astype(np.uint8))
    return np.stack(images), np.stack(masks)


def raw(images, masks):
    """The raw folder; cases are numbered in order."""
    folder = Path(SCRATCH.name) / "raw" / NAME
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    for number, (image, mask) in enumerate(zip(images, masks)):
        Image.fromarray(image).save(folder / "imagesTr" / f"case_{number:04d}_0000.png")
        Image.fromarray(mask).save(folder / "labelsTr" / f"case_{number:04d}.png")
    description = {"channel_names": {"0": "grey"}, "labels": {"background": 0, "foreground": 1},
                   "numTraining": len(images), "file_ending": ".png"}
    (folder / "dataset.json").write_text(json.dumps(description))
    return description


def prepare(count):
    """Fingerprint, plan, preprocessed cases and the split."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    extract_fingerprints([1], num_processes=1)
    plan_experiments([1])
    preprocess([1], configurations=("2d",), num_processes=(1,))
    folder = Path(SCRATCH.name) / "preprocessed" / NAME
    names = [f"case_{n:04d}" for n in range(count)]
    split = {"train": [n for i, n in enumerate(names) if i % 10], "val": names[::10]}
    (folder / "splits_final.json").write_text(json.dumps([split]))
    return json.loads((folder / "nnUNetPlans.json").read_text())


def train(plans, description, epochs, iterations, seed):
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    class Trainer(nnUNetTrainer):
        seconds = 0.0

        def train_step(self, batch):
            start = time.perf_counter()
            result = super().train_step(batch)
            self.seconds += time.perf_counter() - start
            return result

    # Patches are made in this process: the same seed then gives the same patches. The planner refuses a zero.
    os.environ["nnUNet_n_proc_DA"] = "0"
    np.random.seed(seed)
    torch.manual_seed(seed)
    trainer = Trainer({**plans, "continue_training": False}, "2d", 0, description, device=torch.device("cpu"))
    trainer.num_epochs, trainer.num_iterations_per_epoch = epochs, iterations
    trainer.num_val_iterations_per_epoch = max(1, iterations // 5)
    trainer.disable_checkpointing = True
    trainer.run_training()
    return trainer


def predict(trainer, plans, description, images):
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    trainer.set_deep_supervision_enabled(False)
    predictor = nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=True, perform_everything_on_device=False,
        device=torch.device("cpu"), verbose=False, allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network, trainer.plans_manager, trainer.configuration_manager, [trainer.network.state_dict()],
        description, "nnUNetTrainer", (0, 1))
    return np.concatenate([
        predictor.predict_single_npy_array(
            image[None, None].astype(np.float32), {"spacing": [999, 1, 1]}, None, None, False)
        for image in images])


def digest(dataset, arguments):
    """The name of a finished training: a digest of all that it depends on."""
    state = hashlib.sha256()
    for function in (read, raw, prepare, train, predict):
        state.update(inspect.getsource(function).encode())
    files = [dataset / "split.json", *sorted((dataset / "images").iterdir()), *sorted((dataset / "masks").iterdir())]
    for file in files:
        state.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    versions = [f"{name} {version(name)}" for name in ("nnunetv2", "torch", "numpy", "pillow")]
    state.update("\n".join([*arguments, *versions]).encode())
    return state.hexdigest()[:16]


def dice(predicted, truth):
    """Of each image; one where neither mask has anything."""
    both, sums = (predicted * truth).sum((1, 2), dtype=int), predicted.sum((1, 2), dtype=int) + truth.sum((1, 2), dtype=int)
    return [round(float(2 * b / s), 6) if s else 1.0 for b, s in zip(both, sums)]


def trained(arguments, images, masks, held, truth):
    """What nnunetv2's training came to, as a kept file has it."""
    _, epochs, iterations, seed, _ = map(int, arguments)
    torch.set_num_threads(THREADS)
    description = raw(images, masks)
    plans = prepare(len(images))
    start = time.perf_counter()
    trainer = train(plans, description, epochs, iterations, seed)
    whole = time.perf_counter() - start
    predicted = (predict(trainer, plans, description, held) > 0).astype(np.uint8)
    return {
        "arguments": " ".join(arguments), "nnunetv2": version("nnunetv2"), "torch": version("torch"),
        "seconds": round(whole, 1), "step": round(trainer.seconds / (epochs * iterations), 4),
        "threads": THREADS, "load": " ".join(f"{x:.1f}" for x in os.getloadavg()),
        "losses": [float(x) for x in trainer.logger.get_value("train_losses", step=None)],
        "dice": dice(predicted, truth), "plans": json.dumps(plans),
        "predicted": base64.b64encode(zlib.compress(np.packbits(predicted).tobytes(), 9)).decode(),
    }


def main():
    out, dataset, arguments = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:8]
    size, limit = int(arguments[0]), int(arguments[4])
    split = json.loads((dataset / "split.json").read_text())
    names = sorted(split["training"])
    names = names[:: max(1, len(names) // limit)][:limit] if limit else names
    images, masks = read(dataset, size, names)
    held, truth = read(dataset, size, sorted(split["heldOut"])[: limit or None])
    data = {"images": images, "masks": masks, "held": held, "truth": truth}
    if arguments[1] == "0":
        raw(images, masks)
        write_safetensors(out, data, {"plans": json.dumps(prepare(len(images)))})
        return
    kept = Path(sys.argv[8]) / f"{dataset.name}-{arguments[3]}-{digest(dataset, arguments)}.json" if len(sys.argv) > 8 else None
    if kept and kept.exists():
        result = json.loads(kept.read_text())
    else:
        result = trained(arguments, images, masks, held, truth)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            part = kept.with_name(f"{kept.name}.{os.getpid()}")
            part.write_text(json.dumps(result, indent=1) + "\n")
            part.replace(kept)
    packed = np.frombuffer(zlib.decompress(base64.b64decode(result["predicted"])), np.uint8)
    predicted = np.unpackbits(packed, count=truth.size).reshape(truth.shape)
    meta = {name: value if isinstance(value, str) else json.dumps(value)
            for name, value in result.items() if name != "predicted"}
    write_safetensors(out, {**data, "predicted": predicted}, meta)


if __name__ == "__main__":
    main()
