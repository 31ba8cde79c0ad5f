"""Mode `heldout`: the tensors that the pipeline's datasets make of held-out images.

    python /helper/run.py heldout --capture DIR [--record DIR] -- main.py --data /heldout --out /out

An image that a dataset yields differently from reading to reading is read through another dataset of the same class that does not,
given the samples of the first: most pipelines that augment make one dataset for training and one for the rest of the same class.

`/heldout` holds images and placeholder masks. `--capture` is the folder with pipeline.json. As soon as the datasets that
have reached a loader yield every image, DIR/data/heldout.safetensors is written and the run ends with 0. Otherwise the
program goes on, its passes cut to one batch each, and what is there at its end counts. Always writes DIR/heldout.json:
{"ids": [...], "missing": [...], "error": null or one sentence}; exit 0 only if nothing is missing.
"""

import atexit
import copy
import json
import os
import sys

import numpy
import torch

from . import check, data, launch, opened, patches
from .ops import Refused
from .patches import Watcher


def add_options(parser):
    parser.add_argument("--capture", default="/capture", help="folder with the pipeline.json of the capture")


class Collector(Watcher):
    def __init__(self, files, wanted, image_key):
        self.files, self.wanted, self.image_key = files, wanted, image_key
        self.infos = []
        # Tensors by name; those of `shaken` differ from reading to reading.
        self.found, self.shaken = {}, set()
        self.error = None
        self._bases, self._busy = [], False

    def loader_arguments(self, arguments):
        arguments["num_workers"] = 0
        for name in ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context", "worker_init_fn"):
            arguments.pop(name, None)
        return arguments

    def loader_made(self, loader):
        self.infos.append(data.LoaderInfo(loader, len(self.infos), 0))

    def iterate(self, loader, start):
        if self._busy:
            return start()
        self.collect()
        if not self.missing():
            raise launch.Stop
        return self._short(start)

    def _short(self, start):
        for batch in start():
            yield data.items_of_batch(batch, range(min(2, data.batch_size_of(batch))))
            return

    def missing(self):
        return sorted(self.wanted - self.found.keys())

    def collect(self):
        """Reads every dataset that reached a loader and was not read yet, the last loader's first."""
        self._busy = True
        try:
            reader = data.Reader(self.files)
            for info in reversed(self.infos):
                base, _ = data.unwrapped(info.dataset, 0) if len(info.dataset) else (info.dataset, 0)
                if not any(base is known for _, known, _ in self._bases):
                    self._bases.append((info, base, self._collect(reader, info, base)))
            for info, base, differs in self._bases:
                for _, other, shaken in self._bases:
                    twin = with_samples(other, base) if differs and not shaken and type(other) is type(base) else None
                    if twin is not None:
                        self._collect(reader, info, twin)
        finally:
            self._busy = False

    def _collect(self, reader, info, base):
        """Reads all items of a dataset twice, and returns whether any differed."""
        class Whole:
            loader, dataset = info.loader, base

        read, differs = {}, False
        for index in range(len(base)):
            try:
                first, name = reader.item(Whole, index)
                second, _ = reader.item(Whole, index)
            except Exception as problem:
                self.error = f"item {index} could not be read: {type(problem).__name__}: {problem}"
                continue
            if name in self.wanted and self.image_key in first:
                differs |= not torch.equal(first[self.image_key], second[self.image_key])
                read[name] = first[self.image_key]
        for name, image in read.items():
            if name not in self.found or (name in self.shaken and not differs):
                self.found[name] = image
                (self.shaken.add if differs else self.shaken.discard)(name)
        return differs


def with_samples(dataset, source):
    """A copy of `dataset` with the samples of `source`: its attributes with one entry an item. None where that fits nothing."""
    try:
        twin, count = copy.copy(dataset), len(source)
        for key, value in vars(source).items():
            if isinstance(value, (list, tuple, numpy.ndarray)) and len(value) == count:
                setattr(twin, key, value)
        return twin if len(twin) == count else None
    except Exception:
        return None


def run(options):
    launch.seed_everything(options.seed)
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    program = options.program
    root = program[program.index("--data") + 1]
    with open(os.path.join(options.capture, "pipeline.json")) as file:
        inputs = json.load(file)["inputs"]
    image_key = next(str(i["item"]) for i in inputs if i["name"] == "image")
    wanted = {data.stem(n) for n in os.listdir(os.path.join(root, "images")) if n.endswith(".png")}
    collector = Collector(opened.watch(root), wanted, image_key)
    patches.install(collector)
    try:
        code = launch.run_program(program)
        if code != 0:
            collector.error = f"main.py ended with exit code {code} on the held-out images"
        collector.collect()
    except launch.Stop:
        pass
    write(options.record, collector)
    atexit._clear()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if not collector.missing() else 1)


def write(folder, collector):
    ids = sorted(collector.found)
    try:
        if ids:
            shapes = {tuple(t.shape) for t in collector.found.values()}
            if len(shapes) > 1:
                raise Refused("held-out images of different sizes")
            split = data.Split(ids, torch.stack([collector.found[i] for i in ids]), None)
            data.write_split(os.path.join(folder, "data", "heldout.safetensors"), split)
    except Refused as refusal:
        collector.error = str(refusal)
    check.write_json(folder, "heldout.json", {
        "ids": ids, "missing": collector.missing(), "stochastic": bool(collector.shaken), "error": collector.error})
