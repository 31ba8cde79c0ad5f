"""Takes nnunetv2's own trainer through given batches, and draws batches from its own loader.

    python follow.py IN.safetensors OUT.safetensors DRAWS

IN holds images and masks of a data set (N H W), of which every tenth validates; initial weights by name (`weights/…`); and the
batches of training steps (`batch/STEP/image`, `batch/STEP/target0`, …), `steps` of them an epoch by the metadata. OUT gets the
losses that `nnUNetTrainer.train_step` has on these batches, and DRAWS batches each of the training and the validation loader.
"""
import json
import os
import struct
import sys
from pathlib import Path

# Names nnunetv2's folders, which must be before nnunetv2 is imported.
import agreement
import numpy as np
import torch
from plans import write_safetensors


def read_safetensors(path):
    """32-bit floats by name, and the metadata."""
    data = Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    meta = header.pop("__metadata__", {})
    arrays = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(data, np.float32, count=(end - begin) // 4, offset=8 + length + begin) \
            .reshape(entry["shape"])
    return arrays, meta


def follow(trainer, given, epochs, iterations):
    """Losses of the trainer's own steps on the given batches."""
    parameters = dict(trainer.network.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name, values in given.items():
            if name.startswith("weights/"):
                parameters[name[8:]].copy_(torch.from_numpy(values.copy()))
    losses = []
    for epoch in range(epochs):
        trainer.current_epoch = epoch
        trainer.on_train_epoch_start()
        for iteration in range(iterations):
            step = f"batch/{epoch * iterations + iteration}"
            heads = sorted(name for name in given if name.startswith(f"{step}/target"))
            batch = {
                "data": torch.from_numpy(given[f"{step}/image"].copy()),
                "target": [torch.from_numpy(given[head].copy())[:, None] for head in heads],
            }
            losses.append(float(trainer.train_step(batch)["loss"]))
    return losses


def draw(loader, count):
    """Images N C H W and labels N H W of batches, one after the other."""
    images, labels = [], []
    for _ in range(count):
        batch = next(loader)
        images.append(batch["data"].numpy())
        labels.append(batch["target"][0][:, 0].numpy())
    return np.concatenate(images), np.concatenate(labels)


def main():
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    given, meta = read_safetensors(sys.argv[1])
    draws = int(sys.argv[3])
    epochs, iterations, seed = int(meta["epochs"]), int(meta["iterations"]), int(meta["seed"])
    torch.set_num_threads(agreement.THREADS)
    images, masks = given["images"].astype(np.uint8), given["masks"].astype(np.uint8)
    description = agreement.raw(images, masks)
    plans = agreement.prepare(len(images))
    os.environ["nnUNet_n_proc_DA"] = "0"
    np.random.seed(seed)
    torch.manual_seed(seed)
    trainer = nnUNetTrainer({**plans, "continue_training": False}, "2d", 0, description, device=torch.device("cpu"))
    trainer.num_epochs = epochs
    trainer.disable_checkpointing = True
    trainer.on_train_start()
    out = {"losses": np.array(follow(trainer, given, epochs, iterations))}
    out["drawn.images"], out["drawn.labels"] = draw(trainer.dataloader_train, draws)
    out["validation.images"], out["validation.labels"] = draw(trainer.dataloader_val, draws)
    write_safetensors(sys.argv[2], out, {"plans": json.dumps(plans)})


if __name__ == "__main__":
    main()
