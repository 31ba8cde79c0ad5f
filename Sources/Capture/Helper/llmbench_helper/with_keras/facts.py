"""What a pipeline chose, told from its graph and its data."""

import math

import numpy


def collect(conductor, train, splits):
    """The `facts` of pipeline.json; what could not be told is left out."""
    facts = {}
    model = conductor.model or conductor.evaluated_model
    if model is not None:
        facts["trainable_parameters"] = sum(math.prod(v.shape) for v in model.trainable_variables)
        facts["model_class"] = type(model).__name__
    if train is not None and getattr(conductor, "model_output", None) is not None:
        from ..architecture import Architecture
        from ..loss_facts import LossReader

        try:
            facts.update(Architecture(train, conductor.model_output).describe())
            facts["loss"] = LossReader(train, before_sigmoid(train, conductor.model_output)).name()
        except (KeyError, IndexError, StopIteration) as problem:
            conductor.notes.append(f"the architecture could not be told from the graph ({type(problem).__name__})")
    if conductor.split_by is not None:
        name, seed = conductor.split_by
        facts["split_method"], facts["split_seed"] = name, seed if isinstance(seed, int) else None
    else:
        facts["split_method"], facts["split_seed"] = "own", None
    if "train" in splits:
        images, masks = splits["train"]
        facts["channels"], facts["image_size"] = images.shape[1], list(images.shape[-2:])
        facts["normalization_of_images"] = range_of(images)
        values = numpy.unique(masks)
        facts["mask_values"] = ", ".join(f"{v:g}" for v in values) if len(values) <= 4 else f"[{values[0]:g}, {values[-1]:g}]"
        facts["split_sizes"] = [len(splits[k][0]) for k in ("train", "validation", "test") if k in splits]
    # Keras' function seeds all the others.
    seeds = {k: v for k, v in conductor.seeds.items() if k == "keras" or "keras" not in conductor.seeds}
    facts["seeds"] = [f"{library} {seed}" for library, seed in sorted(seeds.items())]
    return facts


def before_sigmoid(graph, output):
    """Keras computes a cross-entropy from what goes into the last sigmoid."""
    for node in graph["nodes"]:
        if node["op"] == "sigmoid" and node["outputs"] == [output]:
            return node["inputs"][0]
    return output


def range_of(images):
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 1.0001:
        return "[0, 1]"
    if low >= -1.0001 and high <= 1.0001:
        return "[-1, 1]"
    return "[0, 255]" if low >= 0 and high <= 255 else f"[{low:.3g}, {high:.3g}]"
