"""Which image files are read, in order: an item of a dataset belongs to the files that were opened while it was made."""

import functools
import os
import sys

from .imports import heard, when_imported

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


class OpenedFiles:
    """Collects the images below `root` that are opened, and how arrays are resized meanwhile."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.paths = []
        self.resizes, self.first_resizes = [], []
        self.active = True
        # Whether a network runs, which resizes too.
        self.in_network = lambda: False

    def note(self, path):
        if not self.active:
            return
        try:
            path = os.fsdecode(path)
        except TypeError:
            return
        if path.lower().endswith(SUFFIXES):
            path = os.path.realpath(path)
            if path.startswith(self.root + os.sep) and (not self.paths or self.paths[-1] != path):
                self.paths.append(path)

    def take(self):
        """The paths noted since the last call, each once, in the order of their first opening."""
        paths, self.paths = list(dict.fromkeys(self.paths)), []
        return paths

    def take_resizes(self):
        found, self.resizes = self.resizes, []
        return found

    def resized(self, binary, how):
        if self.active:
            self.resizes.append((binary, how))
            if (binary, how) not in self.first_resizes and len(self.first_resizes) < 16:
                self.first_resizes.append((binary, how))


def is_mask(path):
    """Whether a path lies in a folder of masks."""
    parts = path.lower().split(os.sep)
    return any("mask" in part for part in parts[-3:-1])


def watch(root):
    """Installs the watch and returns it. Readers that bypass Python's `open` are wrapped one by one."""
    files = OpenedFiles(root)
    sys.addaudithook(lambda event, args: files.note(args[0]) if event == "open" and args
                     and isinstance(args[0], (str, bytes)) else None)
    _wrap_readers(files)
    _wrap_resizers(files)
    return files


def _wrap_readers(files):
    def wrap(owner, name):
        original = getattr(owner, name, None)
        if original is None:
            return

        @functools.wraps(original)
        def reader(path, *args, **kwargs):
            if isinstance(path, (str, bytes, os.PathLike)):
                files.note(path)
            return original(path, *args, **kwargs)

        setattr(owner, name, reader)

    try:
        import cv2

        wrap(cv2, "imread")
    except ImportError:
        pass
    try:
        import torchvision

        wrap(torchvision.io, "read_image")
        wrap(torchvision.io, "read_file")
        wrap(torchvision.io, "decode_image")
        wrap(torchvision.io.image, "read_image")
        wrap(torchvision.io.image, "read_file")
        wrap(torchvision.io.image, "decode_image")
    except ImportError:
        pass


def _wrap_resizers(files):
    from PIL import Image

    names = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
    resize = Image.Image.resize

    @functools.wraps(resize)
    def pil_resize(self, size, resample=None, *args, **kwargs):
        how = resample if resample is not None else (0 if self.mode in ("1", "P") else 3)
        files.resized(_few_values(self.getextrema, lambda: self.getcolors(2)), names.get(int(how), str(how)))
        return resize(self, size, resample, *args, **kwargs)

    Image.Image.resize = pil_resize
    _wrap_tensor_resizer(files)
    when_imported({"skimage.transform._warps": lambda module: _wrap_skimage(files, module)})
    try:
        import cv2
        import numpy
    except ImportError:
        return
    cv_names = {0: "nearest", 1: "bilinear", 2: "bicubic", 3: "area", 4: "lanczos", 6: "nearest"}
    cv_resize = cv2.resize

    @functools.wraps(cv_resize)
    def heard_cv_resize(src, dsize=None, *args, **kwargs):
        how = kwargs.get("interpolation", args[3] if len(args) > 3 else 1)
        if isinstance(src, numpy.ndarray):
            files.resized(_few_values(None, lambda: len(numpy.unique(src)) <= 2), cv_names.get(how, str(how)))
        return cv_resize(src, dsize, *args, **kwargs)

    cv2.resize = heard_cv_resize


def _wrap_tensor_resizer(files):
    """torchvision resizes tensors by PyTorch's `interpolate`."""
    import torch

    def tell(args, kwargs):
        tensor = args[0] if args else kwargs["input"]
        if not files.in_network():
            mode = kwargs.get("mode", args[3] if len(args) > 3 else "nearest")
            files.resized(len(torch.unique(tensor)) <= 2, mode.removesuffix("-exact"))

    interpolate = torch.nn.functional.interpolate = heard(torch.nn.functional.interpolate, tell)

    def rebind(module):
        module.interpolate = interpolate

    # torchvision took the function by its name.
    when_imported({"torchvision.transforms._functional_tensor": rebind,
                   "torchvision.transforms.v2.functional._geometry": rebind})


def _wrap_skimage(files, module):
    import numpy

    names = {0: "nearest", 1: "bilinear", 3: "bicubic"}

    def tell(args, kwargs):
        binary = len(numpy.unique(args[0])) <= 2
        order = kwargs.get("order", args[2] if len(args) > 2 else None)
        order = (0 if args[0].dtype == bool else 1) if order is None else order
        files.resized(binary, names.get(order, f"spline of order {order}"))

    module.resize = heard(module.resize, tell)


def _few_values(_, two):
    try:
        return bool(two())
    except Exception:
        return False
