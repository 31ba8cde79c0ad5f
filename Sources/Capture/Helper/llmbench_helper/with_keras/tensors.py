"""Tensors of the record: as the format has them, channels before rows."""

import json
import os

import numpy

SCALES = (1.0, 1.0 / 255.0, 1.0 / 256.0)


class Unreadable(Exception):
    """Data that the format cannot hold, in one sentence."""


def channels_first(batch):
    """N H W C, or N H W, as N C H W."""
    batch = numpy.asarray(batch)
    if batch.ndim == 3:
        batch = batch[..., None]
    if batch.ndim != 4:
        raise Unreadable(f"a batch of shape {list(batch.shape)}, where N H W C was expected")
    return numpy.ascontiguousarray(numpy.moveaxis(batch, -1, 1)).astype(numpy.float32)


def packed(values):
    """(array as stored, scale or None): bytes with a scale where that loses nothing, else float32."""
    values = numpy.asarray(values, numpy.float32)
    if not numpy.isfinite(values).all():
        raise Unreadable("the data hold values that are not finite")
    if values.size == 0 or values.min() < 0:
        return values, None
    for scale in SCALES:
        if values.max() > 255 * scale * 1.001:
            continue
        codes = numpy.rint(values.astype(numpy.float64) / scale)
        if codes.max() <= 255 and numpy.array_equal((codes * scale).astype(numpy.float32), values):
            return codes.astype(numpy.uint8), scale
    return values, None


def write_split(path, ids, images, masks=None):
    """Writes one `data/*.safetensors` of the format; images and masks are N C H W."""
    stored, metadata = {}, {"ids": json.dumps(ids)}
    for name, values in (("images", images), ("masks", masks)):
        if values is None:
            continue
        stored[name], scale = packed(values)
        if scale is not None:
            metadata[name + ".scale"] = repr(scale)
    save(path, stored, metadata)


def read_split(path):
    """(ids, images) of what `write_split` or its like for PyTorch wrote; images N C H W, float32."""
    found, metadata = _read(path)
    return json.loads(metadata.get("ids", "[]")), found["images"]


def read_pairs(path):
    """(images, masks) of a file of `data/`, N C H W, float32."""
    found, _ = _read(path)
    return found["images"], found["masks"]


def _read(path):
    from safetensors import safe_open

    found = {}
    with safe_open(path, framework="np") as stored:
        metadata = stored.metadata() or {}
        for name in stored.keys():
            values, scale = stored.get_tensor(name), metadata.get(name + ".scale")
            if scale is not None:
                values = values.astype(numpy.float64) * float(scale)
            found[name] = values.astype(numpy.float32)
    return found, metadata


def save(path, arrays, metadata=None):
    """One file of safetensors, whole or absent."""
    from safetensors.numpy import save_file

    os.makedirs(os.path.dirname(path), exist_ok=True)
    save_file({name: numpy.ascontiguousarray(a) for name, a in arrays.items()}, path + ".part", metadata=metadata)
    os.replace(path + ".part", path)
