"""Records the ATen operations between a batch and a loss.

Tensors are told apart by where they live in memory, not by the Python object that shows them: views and in-place
operations then fall out naturally. A place is (storage, offset, sizes, strides); an in-place write gives the place a
new value and makes every other place of that storage stale, so that a read of a stale place is noticed.
"""

import sys

import torch
from torch.utils._python_dispatch import TorchDispatchMode

STALE = -1
KEPT_RESULTS = ("aten.sigmoid.default", "aten._softmax.default")
KEPT_ARGUMENTS = ("aten.gt.Scalar", "aten.ge.Scalar", "aten.lt.Scalar", "aten.le.Scalar", "aten.round.default",
                  "aten.argmax.default")


class Ref:
    """A recorded value, standing for a tensor among the arguments of an operation."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


class Entry:
    """One recorded operation: what was called with what, and where in the generated files."""

    __slots__ = ("name", "args", "kwargs", "outputs", "source", "module", "detached", "written")

    def __init__(self, name, args, kwargs, outputs, source, module, detached, written):
        self.name, self.args, self.kwargs, self.outputs = name, args, kwargs, outputs
        self.source, self.module, self.detached, self.written = source, module, detached, written

    def reads(self):
        found = []
        _collect((self.args, self.kwargs), found)
        return found


def _collect(thing, found):
    if isinstance(thing, Ref):
        found.append(thing.value)
    elif isinstance(thing, (list, tuple)):
        for part in thing:
            _collect(part, found)
    elif isinstance(thing, dict):
        for part in thing.values():
            _collect(part, found)


def _normal_strides(tensor):
    """Strides with those of axes of one element set to zero: they address nothing."""
    return tuple(s if n != 1 else 0 for n, s in zip(tensor.shape, tensor.stride()))


def place_of(tensor):
    return (tensor.storage_offset(), tuple(tensor.shape), _normal_strides(tensor), tensor.dtype)


class Trace(TorchDispatchMode):
    """The operations of one step. Values are integers; `shapes` and `dtypes` describe them."""

    def __init__(self, code_root, module_name):
        super().__init__()
        self.code_root = code_root
        self.module_name = module_name
        self.entries = []
        self.shapes, self.dtypes = {}, {}
        self.leaves = {}
        self.named = {}
        self.problems = {}
        self.kept = {}
        self.draws = {}
        self._places = {}
        self._alive = {}
        self._inside = False

    def __enter__(self):
        torch._C._nn.pad = _pad
        return super().__enter__()

    def __exit__(self, *exception):
        torch._C._nn.pad = PYTORCH_PAD
        return super().__exit__(*exception)

    def name_input(self, tensor, name):
        """Declares a tensor of the batch before the first operation reads it."""
        value = self._read(tensor)
        self.named[value] = name
        return value

    def value_of(self, tensor):
        """The value that a tensor holds now, or None where nothing recorded it."""
        slot = self._places.get(tensor.untyped_storage()._cdata, {}).get(place_of(tensor))
        if slot is None or slot == STALE:
            return None
        return slot[0] if tensor.requires_grad or slot[1] is None else slot[1]

    def _new(self, tensor):
        value = len(self.shapes)
        self.shapes[value] = tuple(tensor.shape)
        self.dtypes[value] = tensor.dtype
        return value

    def _slots(self, tensor):
        storage = tensor.untyped_storage()
        self._alive[storage._cdata] = storage
        return self._places.setdefault(storage._cdata, {})

    def _read(self, tensor):
        slots, place = self._slots(tensor), place_of(tensor)
        slot = slots.get(place)
        if slot is None:
            overlapping = [s for p, s in slots.items() if s != STALE]
            value = self._new(tensor)
            slots[place] = (value, None)
            self.leaves[value] = tensor
            if overlapping or any(s == STALE for s in slots.values()):
                self.problems[value] = "a view that was made outside the step shares memory with a value of it"
            return value
        if slot == STALE:
            value = self._new(tensor)
            self.leaves[value] = tensor
            self.problems[value] = "a part of a tensor was overwritten in place and the whole was read afterwards"
            return value
        return slot[0] if tensor.requires_grad or slot[1] is None else slot[1]

    def _write(self, tensor, in_place, detach):
        slots, place = self._slots(tensor), place_of(tensor)
        value = self._new(tensor)
        if detach and place in slots and slots[place] != STALE:
            slots[place] = (slots[place][0], value)
            return value
        if in_place:
            for other in slots:
                slots[other] = STALE
        slots[place] = (value, None)
        return value

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if self._inside:
            return operation(*args, **kwargs)
        self._inside = True
        try:
            return self._record(operation, args, kwargs)
        finally:
            self._inside = False

    def _record(self, operation, args, kwargs):
        name = str(operation)
        recorded_args = _map_tensors(args, self._ref)
        recorded_kwargs = _map_tensors(kwargs, self._ref)
        result = operation(*args, **kwargs)
        # `out=` and a trailing underscore write into an argument; running statistics are handled by their operation.
        in_place = name.split(".")[1].endswith("_") and not name.startswith("aten.__")
        written = None
        if in_place or "out" in kwargs:
            written = kwargs.get("out", args[0] if args else None)
        detach = name in ("aten.detach.default", "aten.alias.default")
        outputs = []
        for tensor in _flat(result):
            if isinstance(tensor, torch.Tensor):
                outputs.append(self._write(tensor, written is not None, detach))
            else:
                outputs.append(None)
        self._keep(name, args, recorded_args, outputs, result)
        if "bernoulli" in name and outputs and isinstance(result, torch.Tensor):
            self.draws[outputs[0]] = result.clone()
        self.entries.append(
            Entry(name, recorded_args, recorded_kwargs, outputs, self._source(), self.module_name(),
                  not torch.is_grad_enabled(), written is not None)
        )
        return result

    def _keep(self, name, args, recorded, outputs, result):
        """Keeps what a prediction may be read from, for the comparison with the graph's own result."""
        if torch.is_grad_enabled():
            return
        if name in KEPT_RESULTS:
            self.kept[outputs[0]] = result.clone()
        elif name in KEPT_ARGUMENTS and isinstance(args[0], torch.Tensor):
            self.kept[recorded[0].value] = args[0].detach().clone()

    def _ref(self, tensor):
        return Ref(self._read(tensor))

    def _source(self):
        frame = sys._getframe(3)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.startswith(self.code_root):
                return f"{path[len(self.code_root):].lstrip('/')}:{frame.f_lineno}"
            frame = frame.f_back
        return None


PYTORCH_PAD = torch._C._nn.pad


def _pad(tensor, padding, mode="constant", value=None):
    """PyTorch's `pad`, but circular padding joins parts, where PyTorch writes parts of an empty tensor one after the other: the
    same elements from operations that each make a whole value."""
    if mode != "circular" or min(padding) < 0 or len(padding) != 2 * (tensor.dim() - 2):
        return PYTORCH_PAD(tensor, padding, mode, value)
    for pair in range(len(padding) // 2):
        axis, (before, after) = tensor.dim() - 1 - pair, padding[2 * pair:2 * pair + 2]
        size = tensor.shape[axis]
        if before > size or after > size:
            return PYTORCH_PAD(tensor, padding, mode, value)
        parts = [tensor.narrow(axis, size - before, before)] if before else []
        parts += [tensor] + ([tensor.narrow(axis, 0, after)] if after else [])
        tensor = torch.cat(parts, axis) if len(parts) > 1 else tensor
    return tensor


def _map_tensors(thing, change):
    if isinstance(thing, torch.Tensor):
        return change(thing)
    if isinstance(thing, (list, tuple)):
        return [_map_tensors(part, change) for part in thing]
    if isinstance(thing, dict):
        return {key: _map_tensors(part, change) for key, part in thing.items()}
    return thing


def _flat(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]
