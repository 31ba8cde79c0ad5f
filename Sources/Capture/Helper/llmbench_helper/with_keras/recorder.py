"""Records the operations between a batch and a loss, as TensorFlow executes them one by one.

Tensors are told apart by the number that TensorFlow gives each of them. A layer or function that the format has as one operation is heard
as a whole (see `layers`): what it does inside is not recorded.
"""

import contextlib
import sys


class Entry:
    """One operation: what it read, what it made, and where in the generated files."""

    __slots__ = ("name", "inputs", "attributes", "outputs", "source", "module")

    def __init__(self, name, inputs, attributes, outputs, source, module):
        self.name, self.inputs, self.attributes, self.outputs = name, inputs, attributes, outputs
        self.source, self.module = source, module


class Trace:
    """The operations of one step. Values are TensorFlow's numbers; `tensors` keeps every tensor that was met."""

    def __init__(self, code_root, module_name):
        self.code_root, self.module_name = code_root, module_name
        self.entries, self.tensors, self.maker = [], {}, {}
        self.named = {}
        self._paused = 0
        self._listens = False

    def start(self):
        from tensorflow.python.framework import op_callbacks

        op_callbacks.add_op_callback(self._heard)
        self._listens = True

    def stop(self):
        from tensorflow.python.framework import op_callbacks

        if self._listens:
            op_callbacks.remove_op_callback(self._heard)
        self._listens = False

    @contextlib.contextmanager
    def paused(self):
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    def name_input(self, tensor, name):
        self.named[self.value(tensor)] = name

    def value(self, tensor):
        """The number of a tensor, which is kept."""
        self.tensors.setdefault(tensor._id, tensor)
        return tensor._id

    def _heard(self, op_type, inputs, attrs, outputs, op_name=None, graph=None):
        if self._paused or graph is not None:
            return None
        name = op_type.decode() if isinstance(op_type, bytes) else op_type
        attrs = attrs or ()
        self.note(name, list(inputs), dict(zip(attrs[::2], attrs[1::2])), list(outputs))
        return None

    def note(self, name, inputs, attributes, outputs):
        """Adds an operation; an absent input is None."""
        entry = Entry(name, [None if t is None else self.value(t) for t in inputs], attributes,
                      [self.value(t) for t in outputs], self._source(), self.module_name())
        self.entries.append(entry)
        for output in entry.outputs:
            self.maker[output] = entry

    def _source(self):
        frame = sys._getframe(2)
        while frame is not None:
            path = frame.f_code.co_filename
            if path.startswith(self.code_root):
                return f"{path[len(self.code_root):].lstrip('/')}:{frame.f_lineno}"
            frame = frame.f_back
        return None
