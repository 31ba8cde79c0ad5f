"""The modules of a pipeline: which one is the model, what its tensors are called, where execution stands."""

import gc

import torch


def outermost(module):
    """The live module that holds `module` and is held by no other (the model, when a part of it is called directly)."""
    holders = [m for m in gc.get_objects() if issubclass(type(m), torch.nn.Module)]
    current = module
    for _ in range(16):
        parents = [m for m in holders if m is not current and any(child is current for child in m.children())]
        if not parents:
            return current
        current = parents[0]
    return current


def inside(module):
    """The network within the wrappers that PyTorch puts around one."""
    while True:
        if isinstance(module, torch.nn.DataParallel):
            module = module.module
        elif hasattr(module, "_orig_mod"):
            module = module._orig_mod
        else:
            return module


def parameter_count(module):
    return sum(p.numel() for p in module.parameters())


class ModuleStack:
    """Follows the calls of modules: depth, and the qualified name of the innermost one."""

    def __init__(self):
        self.stack = []
        self.roots = {}
        self.names = {}

    def root_of(self, module):
        """The root that a call at depth 0 belongs to; learns the names of its parts on first sight."""
        key = id(module)
        if key not in self.roots:
            root = outermost(module)
            self.roots[key] = root
            for name, part in root.named_modules():
                self.names[id(part)] = name
        return self.roots[key]

    def innermost(self):
        for module in reversed(self.stack):
            name = self.names.get(id(module))
            if name:
                return name
        return None


class Snapshot:
    """Parameters and buffers of all roots of a step, as they were before it."""

    def __init__(self):
        self.tensors = {}
        self.places = {}
        self.main = None
        self._roots = []

    def add(self, root):
        if any(root is r for r in self._roots):
            return
        self._roots.append(root)
        if self.main is None or parameter_count(root) > parameter_count(self.main):
            self.main = root
        for kind, named in (("parameters", root.named_parameters()), ("buffers", root.named_buffers())):
            for name, tensor in named:
                kept = kind if kind == "buffers" or tensor.requires_grad else "buffers"
                self.places[_place(tensor)] = (kept, root, name)
                self.tensors[(id(root), name)] = tensor.detach().clone()

    def find(self, tensor):
        """(kind, qualified name) of a parameter or buffer, or None. Parts of other roots carry their class name."""
        found = self.places.get(_place(tensor))
        if found is None:
            return None
        kind, root, name = found
        return kind, self.qualified(root, name)

    def qualified(self, root, name):
        return name if root is self.main else f"{type(root).__name__}.{name}"

    def named(self):
        """All tensors by qualified name."""
        by_root = {id(r): r for r in self._roots}
        return {self.qualified(by_root[key], name): tensor for (key, name), tensor in self.tensors.items()}


def _place(tensor):
    return (tensor.untyped_storage()._cdata, tensor.storage_offset(), tuple(tensor.shape))


def named_parameters_of(root, prefix=""):
    return {id(p): prefix + name for name, p in root.named_parameters()}
