"""A training loop around a gradient tape: what it does to a model, heard while it runs.

No step is really taken, so every epoch sees the same weights and the same validation loss. A loop that waits for an improvement therefore waits in
vain from its first epoch on: one that runs through all its epochs at one learning rate would neither end early nor change its rate in a
real training, where it waits no longer. What it makes of weights is told by the functions that load or set them.
"""

import ast
import os
import sys

from ..refusal import Refused
from . import loop

OWN = "a training loop of the program's own that "


class OwnLoop:
    """What was heard of one."""

    def __init__(self):
        self.optimizer, self.rates, self.epochs, self.faults = None, set(), set(), []
        self.differentiated = self.moved = 0
        self._taken, self._clips, self.clip = [], {}, None
        self._variables, self._start = None, []

    def fault(self, line):
        if OWN + line not in self.faults:
            self.faults.append(OWN + line)

    def gradients(self, found):
        """A tape gave these."""
        import tensorflow

        self.differentiated += 1
        self._taken, self._clips = tensorflow.nest.flatten(found), {}

    def clipped(self, given, made, clip):
        """A function of TensorFlow made gradients of gradients."""
        if all(g is None or any(g is t for t in self._taken) for g in given):
            self._clips |= {id(g): (g, clip) for g in made if g is not None}

    def applied(self, optimizer, gradients, variables, model, epoch, code_root):
        """An optimizer is given gradients; it takes no step."""
        self.moved += 1
        trained = [id(v) for v in model.trainable_variables]
        if self._variables is None:
            self._variables, self._start = trained, [v.numpy() for v in model.trainable_variables]
            for line in unforeseen(code_root):
                self.fault(line)
        elif trained != self._variables:
            self.fault("trains some of the weights alone")
        self.epochs.add(epoch)
        if self.optimizer not in (None, optimizer):
            self.fault("uses two optimizers")
        self.optimizer = optimizer
        if loop.schedule_of(optimizer) is None:
            self.rates.add(loop.number(optimizer.learning_rate))
        if variables is not None and {id(v) for v in variables} != {id(v) for v in model.trainable_variables}:
            self.fault("trains some of the weights alone")
        self._hold(self._clip_of(gradients))

    def _hold(self, clip):
        if clip is None:
            self.fault("changes its gradients")
        elif self.moved > 1 and clip != self.clip:
            self.fault("clips some gradients and not others")
        else:
            self.clip = clip

    def _clip_of(self, gradients):
        """How all of the gradients were clipped, {} where they were not; None where they are something else."""
        present = [g for g in gradients if g is not None]
        if all(any(g is t for t in self._taken) for g in present):
            return {}
        clips = [self._clips.get(id(g), (None, None))[1] for g in present]
        return clips[0] if clips and all(c == clips[0] for c in clips) else None

    def describe(self, conductor, pipeline):
        """The entries of pipeline.json that say how the training goes on around its step."""
        planned = conductor.epochs_planned
        if not planned or len(self.epochs) != planned:
            self.fault("may end before its last epoch")
        if len(self.rates) > 1:
            self.fault("changes the learning rate")
        if self.moved != self.differentiated or self.moved != 2 * len(self.epochs):
            self.fault("does not take one step a batch")
        now = [] if conductor.model is None else conductor.model.trainable_variables
        if len(now) != len(self._start) or any((v.numpy() != start).any() for v, start in zip(now, self._start)):
            self.fault("changes weights by other ways than its optimizer")
        if conductor.loaded:
            self.fault("loads or sets weights")
        if self.faults:
            return
        pipeline["epochs"], schedule = planned, loop.schedule_of(self.optimizer)
        rate, scheduler = next(iter(self.rates), None), None
        if schedule is not None:
            counts = conductor.train.counts()
            rate, scheduler = loop.table(schedule, planned * counts[0] if counts else None, "batch")
        clip = loop.gradient_clip(self.optimizer)
        if clip is not None and self.clip:
            raise Refused(OWN + "clips gradients twice")
        loop.finish(conductor, pipeline, self.optimizer, rate, scheduler, self.clip or clip)
        pipeline["early_stopping"], pipeline["loss_mean"], pipeline["evaluated_weights"] = None, "batches", {"kind": "last"}


def unforeseen(code_root):
    """What a real training may do and one that takes no step never does: a loop around the step that is left early or passes batches over,
    and a learning rate that is set where the program pleases, such as after so many steps. Read from the functions that stand on the
    stack, and the rate from those too that they call.
    """
    lines, bodies, frame = [], [], sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(code_root.rstrip("/") + "/"):
            body = _function(code)
            for node in ast.walk(body) if body is not None else ():
                if isinstance(node, (ast.For, ast.While)) and node.lineno <= frame.f_lineno <= node.end_lineno:
                    if any(isinstance(part, (ast.Break, ast.Continue, ast.Return)) for part in ast.walk(node)):
                        lines.append("may leave its loop or pass a batch over")
            if body is not None:
                bodies.append(body)
        frame = frame.f_back
    if _set_rate(bodies, code_root):
        lines.append("changes the learning rate")
    return lines


def sets_rate(function, code_root):
    """Whether a function of the program, or one that it calls, sets a learning rate."""
    code = getattr(getattr(function, "python_function", function), "__code__", None)
    body = None if code is None else _function(code)
    return body is not None and _set_rate([body], code_root)


def _set_rate(bodies, code_root):
    known, waiting, seen = _definitions(code_root), list(bodies), {id(b) for b in bodies}
    first = set(seen)
    while waiting:
        body = waiting.pop()
        for node in ast.walk(body):
            # What a called function keeps of a rate in an object of its own is not the optimizer's.
            if _sets_rate(node, spared=() if id(body) in first else KEEPERS):
                return True
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", None))
                for found in known.get(name, ()):
                    if id(found) not in seen:
                        seen.add(id(found))
                        waiting.append(found)
    return False


def _definitions(code_root):
    """The functions and classes of the program's files, by name."""
    found = {}
    for folder, _, names in os.walk(code_root):
        for name in names:
            tree = _tree(os.path.join(folder, name)) if name.endswith(".py") else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    found.setdefault(node.name, []).append(node)
    return found


def _tree(path):
    try:
        with open(path, encoding="utf-8") as file:
            return ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None


def _function(code):
    """The syntax of a function, or of a module."""
    tree = _tree(code.co_filename)
    if tree is None or code.co_name == "<module>":
        return tree
    return next((n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))
                 and n.name == code.co_name and n.lineno <= code.co_firstlineno + len(n.decorator_list)
                 and code.co_firstlineno <= n.end_lineno), None)


RATES = ("learning_rate", "_learning_rate", "lr")
KEEPERS = ("self", "args", "config", "cfg", "options")


def _sets_rate(node, spared):
    """`optimizer.learning_rate = x`, `optimizer.learning_rate.assign(x)`, `setattr(optimizer, "learning_rate", x)`,
    `set_value(optimizer.learning_rate, x)`."""
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(t, ast.Attribute) and t.attr in RATES and getattr(t.value, "id", None) not in spared
                   for t in targets)
    if not isinstance(node, ast.Call):
        return False
    function, arguments = node.func, node.args
    name = getattr(function, "id", getattr(function, "attr", None))
    if name in ("assign", "assign_add", "assign_sub") and isinstance(function, ast.Attribute):
        return getattr(function.value, "attr", None) in RATES
    if name == "setattr" and len(arguments) > 1:
        return getattr(arguments[1], "value", None) in RATES
    return name == "set_value" and bool(arguments) and getattr(arguments[0], "attr", None) in RATES
