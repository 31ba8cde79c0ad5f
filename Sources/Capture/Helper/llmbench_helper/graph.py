"""Two recorded steps become one graph whose batch size is free."""

import torch

from .ops import DTYPES, HANDLERS, Refused
from .recorder import Ref
from .unify import unified

# Operations that make a tensor whose content nobody reads before it is overwritten.
EMPTY = ("aten.empty.memory_format", "aten.empty_like.default", "aten.new_empty.default", "aten.empty_strided.default",
         "aten.new_empty_strided.default")
RANDOM = ("rand", "randn", "randint", "randperm", "normal", "uniform_", "normal_", "random_", "multinomial")


class Draft:
    """The graph of one step at one batch size, with sizes as plain integers."""

    def __init__(self, trace, target, leaf_name, differentiable=True):
        self.trace, self.differentiable = trace, differentiable
        self.nodes, self.values, self.leaves, self.draws = [], {}, {}, {}
        self._bound, self._made = {}, {}
        self._leaf_name = leaf_name
        for entry in self._needed(target):
            self._translate(entry)
        self.target = self.input(Ref(target))

    def _needed(self, target):
        maker = {}
        for entry in self.trace.entries:
            for output in entry.outputs:
                if output is not None:
                    maker[output] = entry
        wanted, stack, seen = set(), [target], set()
        while stack:
            value = stack.pop()
            if value in seen:
                continue
            seen.add(value)
            entry = maker.get(value)
            if entry is not None and id(entry) not in wanted:
                wanted.add(id(entry))
                if "bernoulli" in entry.name:
                    continue
                stack.extend(entry.reads())
        return [entry for entry in self.trace.entries if id(entry) in wanted]

    def _translate(self, entry):
        if entry.name in EMPTY:
            return
        handler = HANDLERS.get(entry.name)
        place = f" at {entry.source}" if entry.source else ""
        if handler is None:
            plain = entry.name.split(".")[1]
            if plain in RANDOM or plain.removesuffix("_like") in RANDOM:
                raise Refused(f"the step draws random numbers ({entry.name}{place})")
            raise Refused(f"operation {entry.name}{place} is not in the graph format")
        try:
            self._refuse_kept_state(entry)
            made = handler(self, entry)
        except Refused as refusal:
            raise Refused(f"{refusal}{place}") from None
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as problem:
            raise Refused(f"operation {entry.name}{place} has arguments that were not expected ({problem})") from None
        for output, value in zip(entry.outputs, made):
            if output is None or value is None:
                continue
            if entry.detached and self.differentiable and self._differentiable(entry):
                value = self._without_gradient(entry, value)
            self._bound[output] = value

    def _without_gradient(self, entry, value):
        """What an operation under `no_grad` made. Written in place over a value with a history, it keeps that history: the
        gradient passes as if nothing had been written."""
        shape = self.shape(value)
        target = self._bound.get(entry.args[0].value) if entry.written and isinstance(entry.args[0], Ref) else None
        if target is None or not self.values[target]["learns"] or self.shape(target) != shape:
            return self.node("detach", [value], {}, entry, shape=shape)
        # The value and nothing else, plus a zero whose gradient is the target's.
        kept = self.node("detach", [target], {}, entry, shape=shape)
        zero = self.node("sub", [target, kept], {}, entry, shape=shape)
        return self.node("add", [self.node("detach", [value], {}, entry, shape=shape), zero], {}, entry, shape=shape)

    def _refuse_kept_state(self, entry):
        """A step that overwrites a parameter or buffer and reads it carries state into the next step, which no graph holds."""
        target = entry.args[0].value if entry.written and entry.args and isinstance(entry.args[0], Ref) else None
        if target not in self.trace.leaves or target in self.trace.named:
            return
        kind, name = self._leaf_name(target, self.trace.leaves[target])
        if kind in ("parameters", "buffers"):
            raise Refused(f"the step overwrites {name} in place ({entry.name}) and reads it afterwards")

    def _differentiable(self, entry):
        return any(self.depends_on_parameters(self._bound[v]) for v in entry.reads() if v in self._bound)

    def bound(self, raw):
        """The graph value of a recorded one, or None where the graph does not hold it."""
        return self._bound.get(raw)

    def depends_on_parameters(self, value):
        return self.values[value].get("learns", False)

    def new_value(self, shape, dtype, learns=False):
        value = len(self.values)
        self.values[value] = {"shape": tuple(shape), "dtype": dtype, "learns": learns}
        return value

    def shape(self, value):
        return self.values[value]["shape"]

    def dtype(self, value):
        return self.values[value]["dtype"]

    def output_shape(self, entry):
        return self.trace.shapes[entry.outputs[0]]

    def producer_of(self, value):
        return self._made.get(value)

    def producer(self, ref):
        return self._made.get(self.input(ref))

    def inputs(self, *refs):
        return [None if ref is None else self.input(ref) for ref in refs]

    def input(self, ref):
        """The graph value of a recorded one; makes a leaf of it where no operation of the step did."""
        raw = ref.value
        if raw in self._bound:
            return self._bound[raw]
        if raw in self.trace.problems:
            raise Refused(self.trace.problems[raw])
        if raw not in self.trace.leaves:
            raise Refused("a value is read that no supported operation made (a second result, such as indices)")
        tensor = self.trace.leaves[raw]
        kind, name = self._leaf_name(raw, tensor)
        value = self.new_value(tensor.shape, tensor.dtype, learns=kind == "parameters")
        self.leaves[value] = (kind, name, tensor)
        self._bound[raw] = value
        return value

    def node(self, op, inputs, attributes, entry, shape=None, dtype=None):
        """Adds a node and returns its output; shape and dtype are the entry's first output's unless given.

        Nodes that change neither a value nor a gradient are left out.
        """
        if op == "identity" or (op == "detach" and not (self.differentiable and self.values[inputs[0]]["learns"])):
            return inputs[0]
        output = entry.outputs[0]
        if shape is None:
            shape = self.trace.shapes[output]
        if dtype is None:
            dtype = self.trace.dtypes[output]
        learns = op != "detach" and any(self.values[i]["learns"] for i in inputs if i is not None)
        value = self.new_value(shape, dtype, learns)
        node = {"op": op, "inputs": inputs, "outputs": [value], "attributes": attributes}
        if entry.source:
            node["source"] = entry.source
        if entry.module:
            node["module"] = entry.module
        self.nodes.append(node)
        self._made[value] = node
        return value

    def prune(self, targets):
        """Drops nodes and leaves that nothing on the way to `targets` reads."""
        wanted, kept = set(targets), []
        for node in reversed(self.nodes):
            if any(o in wanted for o in node["outputs"]):
                kept.append(node)
                wanted.update(i for i in node["inputs"] if i is not None)
        self.nodes = kept[::-1]
        self.leaves = {v: leaf for v, leaf in self.leaves.items() if v in wanted}
        self.draws = {v: d for v, d in self.draws.items() if v in wanted}


def unify(first, second, sizes):
    """The graph (as the JSON object of the format) of two drafts of the same computation at two batch sizes."""
    return unified(first, second, sizes, DTYPES, _same)


def _same(a, b):
    return a.shape == b.shape and torch.equal(a.detach(), b.detach())
