"""The graph of one recorded step at one batch size.

TensorFlow's images are N H W C, the format's N C H W: every value of four axes is kept with its axes as (0, 3, 1, 2), weights of
convolutions as (3, 2, 0, 1), everything else as it is. What is known before a step, such as the shape of a batch, is computed and not
recorded.
"""

import numpy

from ..refusal import Refused

ORDER = (0, 3, 1, 2)
# Where each axis of N H W C lies in N C H W.
PLACE = {0: 0, 1: 2, 2: 3, 3: 1}
TYPES = {"float32": "float32", "float64": "float64", "int64": "int64", "int32": "int64", "bool": "bool", "uint8": "int64"}
ELEMENTWISE = ("square", "abs", "neg", "sqrt", "sign", "mul_scalar", "add_scalar", "div_scalar", "add", "sub", "mul")
# Known from the shapes alone.
SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")


class Draft:
    def __init__(self, trace, target, variables, constants):
        """target: the value to compute. variables: (kind, name, array) by the number of a handle. constants: arrays by name, shared."""
        self.trace, self.variables, self.constants = trace, variables, constants
        self.nodes, self.values, self.leaves = [], {}, {}
        self._bound, self._arrays, self._kernels = {}, {}, {}
        self.dimensions = {}
        self._made, self._vectors = {}, {}
        # Values with the axes of a convolution's weight.
        self.kernels = set()
        self.uses = {}
        needed = self._needed(target)
        for entry in needed:
            for value in entry.inputs:
                self.uses[value] = self.uses.get(value, 0) + 1
        from .operations import translate

        for entry in needed:
            if not self._is_known(entry):
                self._bind(entry, translate(self, entry))
        self.target = self.input(target)

    # What is needed, and what is known before

    def _needed(self, target):
        wanted, stack, seen = set(), [target], set()
        while stack:
            value = stack.pop()
            if value in seen or value is None:
                continue
            seen.add(value)
            entry = self.trace.maker.get(value)
            if entry is not None and id(entry) not in wanted:
                wanted.add(id(entry))
                if entry.name not in SHAPES:
                    stack.extend(entry.inputs)
        return [entry for entry in self.trace.entries if id(entry) in wanted]

    def _is_known(self, entry):
        if entry.name == "ReadVariableOp":
            handle = entry.inputs[0]
            if handle in self.variables:
                self._bound[entry.outputs[0]] = ("variable", handle)
                return True
            return self._know(entry)
        if entry.name in SHAPES or all(self.known(v) is not None for v in entry.inputs if v is not None):
            return not entry.name.startswith("Keras") and self._know(entry)
        return False

    def _know(self, entry):
        for output in entry.outputs:
            if self.trace.tensors[output].dtype.name in ("resource", "variant"):
                place = f" at {entry.source}" if entry.source else ""
                raise Refused(f"{entry.name}{place}: a step that makes a variable or a container")
            self._arrays[output] = self.trace.tensors[output].numpy()
        return True

    def known(self, value):
        """The array of a value that nothing of the step decides, or None."""
        if value in self._arrays:
            return self._arrays[value]
        if value in self._bound or value in self.trace.named or value in self.trace.maker or value in self.variables:
            return None
        tensor = self.trace.tensors[value]
        if tensor.dtype.name == "resource":
            return None
        self._arrays[value] = tensor.numpy()
        return self._arrays[value]

    def number(self, value):
        """The number that a value is everywhere, or None."""
        array = self.known(value)
        if array is None or array.dtype.kind not in "fiub" or array.size == 0:
            return None
        first = array.reshape(-1)[0]
        return first.item() if array.size == 1 or bool((array == first).all()) else None

    # Values of the graph

    def _bind(self, entry, made):
        for output, value in zip(entry.outputs, made):
            self._bound[output] = ("value", value)

    def shape(self, value):
        """TensorFlow's shape of one of its values."""
        if value in self.variables:
            return tuple(self.variables[value][2].shape)
        return tuple(self.trace.tensors[value].shape)

    def input(self, value):
        """The id in the graph of one of TensorFlow's values."""
        if value is None:
            return None
        if value in self.variables:
            return self.leaf(value)
        bound = self._bound.get(value)
        if bound is not None and bound[0] == "variable":
            return self.leaf(bound[1])
        if bound is not None:
            return bound[1]
        tensor = self.trace.tensors[value]
        if value in self.trace.named:
            made = self.new(tuple(tensor.shape), tensor.dtype.name)
            self.leaves[made] = ("inputs", self.trace.named[value], None)
        elif self.known(value) is not None:
            made = self.constant(self.known(value))
        else:
            raise Refused("a value whose making was not seen")
        self._bound[value] = ("value", made)
        return made

    def leaf(self, handle, kernel=None):
        """A parameter or buffer; `kernel` says in which order the axes of a convolution's weight are kept."""
        kind, name, array = self.variables[handle]
        if handle not in self._kernels:
            order = kernel or ((3, 2, 0, 1) if array.ndim == 4 else tuple(range(array.ndim)))
            made = self.new(array.transpose(order).shape, array.dtype.name, plain=True)
            self._kernels[handle] = made, order
            if array.ndim == 4:
                self.kernels.add(made)
            self.leaves[made] = (kind, name, array.transpose(order))
            self.dimensions[made] = array.shape
        made, order = self._kernels[handle]
        if kernel is not None and kernel != order:
            raise Refused(f"the weight {name} is used by two kinds of convolutions")
        return made

    def handle(self, value):
        """The handle of the variable that a value was read from, or None."""
        if value in self.variables:
            return value
        bound = self._bound.get(value)
        return bound[1] if bound is not None and bound[0] == "variable" else None

    def constant(self, array):
        array = numpy.asarray(array)
        stored = array.transpose(ORDER) if array.ndim == 4 else array
        for name, known in self.constants.items():
            if known.shape == stored.shape and known.dtype == stored.dtype and numpy.array_equal(known, stored):
                break
        else:
            name = f"constant.{len(self.constants)}"
            self.constants[name] = numpy.ascontiguousarray(stored)
        made = self.new(array.shape, array.dtype.name)
        self.leaves[made] = ("constants", name, self.constants[name])
        return made

    def new(self, shape, dtype, plain=False):
        """A value of TensorFlow's shape; `plain`: of the shape that is kept."""
        made = len(self.values)
        stored = tuple(shape[i] for i in ORDER) if len(shape) == 4 and not plain else tuple(shape)
        self.values[made] = {"shape": [int(n) for n in stored], "dtype": dtype}
        self.dimensions[made] = tuple(shape)
        return made

    def node(self, op, inputs, attributes, entry, shape=None, dtype=None, plain=False):
        """Adds a node; shape and type are those of the entry's first output unless given."""
        tensor = self.trace.tensors[entry.outputs[0]]
        shape, kernels = tuple(tensor.shape) if shape is None else shape, [i for i in inputs if i in self.kernels]
        if kernels and op not in ("convolution", "linear") and len(shape) == 4:
            # What is computed from weights alone, such as a penalty on them, keeps their axes.
            if len(kernels) != len(inputs) or op not in ELEMENTWISE:
                raise Refused(f"{op} of the weight of a convolution")
            shape, plain = tuple(self.values[kernels[0]]["shape"]), True
        made = self.new(shape, dtype or tensor.dtype.name, plain)
        if plain and kernels and len(shape) == 4:
            self.kernels.add(made)
        node = {"op": op, "inputs": inputs, "outputs": [made], "attributes": attributes}
        if entry.source:
            node["source"] = entry.source
        if entry.module:
            node["module"] = entry.module
        self.nodes.append(node)
        self._made[made] = node
        return made

    def maker(self, value):
        return self._made.get(value)

    def prune(self):
        """Drops what nothing on the way to the target reads."""
        wanted, kept = {self.target}, []
        for node in reversed(self.nodes):
            if any(o in wanted for o in node["outputs"]):
                kept.append(node)
                wanted.update(i for i in node["inputs"] if i is not None)
        self.nodes = kept[::-1]
        self.leaves = {v: leaf for v, leaf in self.leaves.items() if v in wanted}
