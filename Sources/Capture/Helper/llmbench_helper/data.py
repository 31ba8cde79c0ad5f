"""The tensors that a pipeline's datasets yield, and the files they come from."""

import os

import numpy
import torch
from torch.utils.data import IterableDataset, RandomSampler, SequentialSampler, Subset, SubsetRandomSampler
from torch.utils.data._utils.collate import default_collate

from .opened import SUFFIXES, is_mask
from .ops import Refused
from .roles import roles


class LoaderInfo:
    """What is known of one DataLoader."""

    def __init__(self, loader, order, workers, pinned=False):
        self.loader, self.order, self.workers, self.pinned = loader, order, workers, pinned
        self.training = False
        self.passes = 0
        self.eval_traces = []
        self.first_batch = None
        self.skim_batch = None
        self.epochs_seen = []

    @property
    def dataset(self):
        return self.loader.dataset

    def shuffles(self):
        return isinstance(self.loader.sampler, (RandomSampler, SubsetRandomSampler))

    def indices(self):
        """Positions in the dataset that the loader visits, ascending where it shuffles."""
        sampler = self.loader.sampler
        if isinstance(self.loader.dataset, IterableDataset):
            raise Refused("an IterableDataset, whose items cannot be read one by one")
        if isinstance(sampler, SubsetRandomSampler):
            return list(sampler.indices)
        if isinstance(sampler, RandomSampler) and sampler.replacement:
            raise Refused("a sampler that draws with replacement")
        if not isinstance(sampler, (RandomSampler, SequentialSampler)):
            raise Refused(f"a sampler of class {type(sampler).__name__}")
        return list(range(len(self.loader.dataset)))


def unwrapped(dataset, index):
    """The dataset below all Subsets, and the index there."""
    while isinstance(dataset, Subset):
        index = dataset.indices[index]
        dataset = dataset.dataset
    return dataset, int(index)


def leaves(item, prefix=()):
    """(path, leaf) of every leaf of an item or batch; a path is a tuple of indices and keys."""
    if isinstance(item, dict):
        return [leaf for key, value in item.items() for leaf in leaves(value, prefix + (key,))]
    if isinstance(item, (list, tuple)):
        return [leaf for i, value in enumerate(item) for leaf in leaves(value, prefix + (i,))]
    return [(prefix, item)]


def path_name(path):
    return ".".join(str(part) for part in path) if path else "0"


def rebuilt(item, change):
    """The same structure with `change(path, leaf)` at its leaves."""

    def walk(thing, prefix):
        if isinstance(thing, dict):
            return type(thing)((key, walk(value, prefix + (key,))) for key, value in thing.items())
        if isinstance(thing, tuple) and hasattr(thing, "_fields"):
            return type(thing)(*(walk(v, prefix + (i,)) for i, v in enumerate(thing)))
        if isinstance(thing, (list, tuple)):
            return type(thing)(walk(v, prefix + (i,)) for i, v in enumerate(thing))
        return change(prefix, thing)

    return walk(item, ())


def batch_size_of(batch):
    for _, leaf in leaves(batch):
        if isinstance(leaf, torch.Tensor) and leaf.dim() > 0:
            return leaf.shape[0]
    return 0


def items_of_batch(batch, chosen):
    """The batch that holds the items at positions `chosen` only (repetitions allowed)."""
    count = batch_size_of(batch)

    def walk(thing):
        if isinstance(thing, torch.Tensor):
            return thing[list(chosen)].clone() if thing.dim() > 0 and thing.shape[0] == count else thing
        if isinstance(thing, dict):
            return type(thing)((k, walk(v)) for k, v in thing.items())
        if isinstance(thing, (list, tuple)):
            # A collated list of names has one entry an item; a collated pair has one entry a field.
            if len(thing) == count and all(isinstance(part, (str, bytes, int, float, os.PathLike)) for part in thing):
                return type(thing)(thing[i] for i in chosen)
            if isinstance(thing, tuple) and hasattr(thing, "_fields"):
                return type(thing)(*(walk(v) for v in thing))
            return type(thing)(walk(v) for v in thing)
        return thing

    return walk(batch)


class Reader:
    """Reads items of datasets, each with the id of its file."""

    def __init__(self, opened):
        self.opened = opened
        self.resizes = []
        # Whether the making of an item opened a file.
        self.reads_files = False

    def item(self, info, index):
        """(tensors by path, id or None) of one item, batch axis removed."""
        self.opened.take()
        self.opened.take_resizes()
        raw = info.dataset[index]
        paths, resizes = self.opened.take(), self.opened.take_resizes()
        self.reads_files |= bool(paths)
        if len(self.resizes) < 16:
            self.resizes.append(resizes)
        collate = info.loader.collate_fn or default_collate
        batch = collate([raw])
        tensors = {}
        for path, leaf in leaves(batch):
            if isinstance(leaf, torch.Tensor):
                tensors[path_name(path)] = leaf[0].detach().clone()
        return tensors, identifier(paths, raw, info.dataset, index)


def identifier(paths, raw, dataset, index):
    """The stem of the image file of an item, or None.

    In order of trust: the files opened while it was made, a file name within the item, a list of file names (or of rows that hold
    one) among the attributes of the dataset.
    """
    images = [p for p in paths if not is_mask(p)]
    if images:
        return stem(images[0])
    names = [leaf for _, leaf in leaves(raw) if isinstance(leaf, (str, os.PathLike))]
    for name in names:
        text = os.fspath(name)
        if not is_mask(os.sep + text):
            return stem(text)
    return listed(dataset, index)


def listed(dataset, index):
    base, position = unwrapped(dataset, index)
    count = len(base)
    lists = [(key, value) for key, value in sorted(vars(base).items())
             if isinstance(value, (list, tuple, numpy.ndarray)) and len(value) == count]
    lists.sort(key=lambda pair: "mask" in pair[0].lower())
    for _, value in lists:
        names = [os.fspath(part) for _, part in leaves(value[position]) if isinstance(part, (str, os.PathLike))]
        for name in sorted(names, key=lambda name: is_mask(os.sep + name)):
            if name.lower().endswith(SUFFIXES) or "." not in os.path.basename(name):
                return stem(name)
    return None


def stem(path):
    name = os.path.basename(os.fspath(path))
    return name[: name.rfind(".")] if name.lower().endswith(SUFFIXES) else name


class Split:
    """All items of one split: `images` and `masks` as tensors n …, and their ids."""

    def __init__(self, ids, images, masks, stochastic=False):
        self.ids, self.images, self.masks, self.stochastic = ids, images, masks, stochastic


def read_split(reader, info, indices, image_key, mask_key):
    """Reads every item twice. Returns the split and whether two readings of an item differed."""
    ids, images, masks, stochastic = [], [], [], False
    for index in indices:
        first, name = reader.item(info, index)
        second, _ = reader.item(info, index)
        for key in (image_key, mask_key):
            if key is None:
                continue
            if key not in first:
                raise Refused(f"an item without the tensor {key}")
            if first[key].shape != second[key].shape or not torch.equal(first[key], second[key]):
                stochastic = True
        ids.append(name)
        images.append(first[image_key])
        if mask_key is not None:
            masks.append(first[mask_key])
    if len({tuple(i.shape) for i in images}) > 1:
        raise Refused("images of different sizes in one dataset")
    return Split(ids, torch.stack(images), torch.stack(masks) if masks else None, stochastic), stochastic


SCALES = (1.0, 1.0 / 255.0, 1.0 / 256.0)


def packed(tensor):
    """(tensor as stored, scale or None): bytes with a scale where that loses nothing, else float32."""
    values = tensor.to(torch.float32).numpy()
    if not numpy.isfinite(values).all():
        raise Refused("the data hold values that are not finite")
    if values.size == 0 or values.min() < 0:
        return torch.from_numpy(values), None
    for scale in SCALES:
        if values.max() > 255 * scale * 1.001:
            continue
        codes = numpy.rint(values.astype(numpy.float64) / scale)
        if codes.max() > 255:
            continue
        if numpy.array_equal((codes * scale).astype(numpy.float32), values):
            return torch.from_numpy(codes.astype(numpy.uint8)), scale
    return torch.from_numpy(values), None


def write_split(path, split):
    """Writes one `data/*.safetensors` of the format; returns nothing, replaces the file in one step."""
    import json

    from safetensors.torch import save_file

    stored, metadata = {}, {"ids": json.dumps(split.ids)}
    for name, tensor in (("images", split.images), ("masks", split.masks)):
        if tensor is None:
            continue
        stored[name], scale = packed(tensor)
        stored[name] = stored[name].contiguous()
        if scale is not None:
            metadata[name + ".scale"] = repr(scale)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file(stored, path + ".part", metadata=metadata)
    os.replace(path + ".part", path)


def read_split_file(path):
    """Reads what `write_split` wrote: (ids, images float32, masks float32 or None)."""
    import json

    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        metadata = stored.metadata() or {}
        found = {}
        for name in stored.keys():
            tensor = stored.get_tensor(name)
            scale = metadata.get(name + ".scale")
            if scale is not None:
                tensor = torch.from_numpy((tensor.numpy().astype(numpy.float64) * float(scale)).astype(numpy.float32))
            found[name] = tensor.to(torch.float32)
    return json.loads(metadata.get("ids", "[]")), found["images"], found.get("masks")
