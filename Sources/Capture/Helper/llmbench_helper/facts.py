"""What a pipeline chose, told from its graph, its loaders and its data."""

import numbers
import os

import numpy
import torch

from .architecture import Architecture
from .loss_facts import LossReader
from .models import inside
from .opened import SUFFIXES


def collect(conductor, train, evaluation, pipeline, splits, reader):
    """The `facts` of pipeline.json; what could not be told is left out."""
    facts = {}
    if conductor.model is not None:
        facts["trainable_parameters"] = sum(p.numel() for p in conductor.model.parameters() if p.requires_grad)
        facts["model_class"] = type(inside(conductor.model)).__name__
    output = conductor.model_output
    if train is not None and output is not None:
        try:
            facts.update(Architecture(train, output).describe())
            facts["loss"] = LossReader(train, output).name()
        except (KeyError, IndexError, StopIteration) as problem:
            conductor.notes.append(f"the architecture could not be told from the graph ({type(problem).__name__})")
    loader = conductor.train_info
    if loader is not None:
        facts["loader_workers"], facts["pin_memory"] = loader.workers, loader.pinned
        facts["augmentation"] = augmentation(splits)
    facts["split_method"], facts["split_seed"] = split_method(conductor)
    if "train" in splits:
        images, masks = splits["train"].images, splits["train"].masks
        facts["channels"] = images.shape[1] if images.dim() == 4 else 1
        facts["image_size"] = list(images.shape[-2:])
        facts["normalization_of_images"] = range_of(images.numpy())
        facts["colour"] = colour(conductor.files.root, splits["train"].ids[0], images)
        if masks is not None:
            facts["mask_values"] = mask_values(masks.numpy())
        facts["split_sizes"] = [len(splits[k].ids) for k in ("train", "validation", "test") if k in splits]
    facts["main_features"] = main_features(conductor, pipeline)
    facts["seeds"] = [f"{library} {seed}" for library, seed in sorted(conductor.seeds.items())]
    if reader is not None:
        facts["loading"] = "each item" if reader.reads_files else "beforehand"
        facts["resize"], facts["mask_resize"] = resizing(reader.resizes + [reader.opened.first_resizes])
    return facts


def range_of(images):
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 1.0001:
        return "[0, 1]"
    if low >= -1.0001 and high <= 1.0001:
        return "[-1, 1]"
    if low >= 0 and high <= 255:
        return "[0, 255]"
    mean, deviation = float(numpy.mean(images)), float(numpy.std(images))
    if abs(mean) < 0.3 and 0.5 < deviation < 2:
        return "zero mean, unit variance"
    return f"[{low:.3g}, {high:.3g}]"


def resizing(items):
    """How images and masks are resized: masks are arrays of at most two values."""
    image = next((how for item in items for mask, how in item if not mask), None)
    mask = next((how for item in items for binary, how in item if binary), None)
    return image or "none", mask or "none"


def split_method(conductor):
    """(function that split the samples, its seed) as they were called; `own` where none that is known was."""
    if not conductor.splits:
        return "own", None
    name, seed = conductor.splits[0]
    return name, int(seed) if isinstance(seed, numbers.Integral) else None


def augmentation(splits):
    """Which parts of the data differ from reading to reading."""
    parts = [name for name, split in splits.items() if split.stochastic]
    return "random: " + ", ".join(parts) if parts else "none"


def colour(root, stem, images):
    """What became of the channels of the file that an item came from."""
    from PIL import Image

    channels = images.shape[1] if images.dim() == 4 else 1
    path = next((p for p in (os.path.join(root, "images", stem + s) for s in SUFFIXES) if os.path.exists(p)), None)
    if path is None:
        return None
    with Image.open(path) as picture:
        source = "grey" if picture.mode in ("1", "L", "I", "I;16", "F") else "colour"
    if channels == 1:
        return "grey" if source == "grey" else "colour to grey"
    if channels == 3 and torch.equal(images[0, 0], images[0, 1]) and torch.equal(images[0, 0], images[0, 2]):
        return f"{source} to three equal channels"
    return source if source == "colour" and channels == 3 else f"{source} to {channels} channels"


def mask_values(masks):
    """The values of the masks where they are few, else their range."""
    found = numpy.unique(masks)
    return ", ".join(f"{v:g}" for v in found) if len(found) <= 4 else f"[{found[0]:g}, {found[-1]:g}]"


def main_features(conductor, pipeline):
    """What surrounds the training, each by its usual name, in a fixed order."""
    clip = pipeline.get("gradient_clip")
    found = {
        "seeded": bool(conductor.seeds), "data parallel": "DataParallel" in conductor.wrappers,
        "compiled": conductor.is_compiled, "mixed precision": conductor.mixed_precision,
        "accumulation": pipeline.get("accumulation", 1) > 1, "gradient clipping": clip is not None,
        "scheduler": bool(conductor.scheduler_steps), "early stopping": pipeline.get("early_stopping") is not None,
        "best weights": (pipeline.get("evaluated_weights") or {}).get("kind") == "best",
        "validated untrained": conductor.evaluated_untrained,
    }
    return [name for name, is_there in found.items() if is_there]
