"""Wraps functions of packages that a pipeline may import, without importing them for it."""

import functools
import importlib.util
import sys


class _Loader:
    """A module's own loader, and a word to say once the module has run."""

    def __init__(self, loader, ready):
        self.loader, self.ready = loader, ready

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.ready(module)

    def __getattr__(self, name):
        return getattr(self.loader, name)


class _Finder:
    def __init__(self, wanted):
        self.wanted = wanted

    def find_spec(self, name, path=None, target=None):
        ready = self.wanted.pop(name, None)
        if ready is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, ready)
        return spec


def when_imported(wanted):
    """Calls `wanted[name](module)` after the module of that name was run for the first time, at once where it was already."""
    for name in [name for name in wanted if name in sys.modules]:
        wanted.pop(name)(sys.modules[name])
    if wanted:
        sys.meta_path.insert(0, _Finder(dict(wanted)))


def heard(function, tell):
    """The same function, which tells of the arguments of each call first; what goes wrong in the telling is nobody's loss."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            tell(args, kwargs)
        except Exception:
            pass
        return function(*args, **kwargs)

    return wrapper
