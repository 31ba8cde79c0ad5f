"""Mode `heldout` for TensorFlow: the tensors that the pipeline makes of held-out images.

    python /helper/run.py heldout --capture DIR [--record DIR] -- main.py --data /heldout --out /out

`/heldout` holds images and placeholder masks. The program is given a copy of it whose masks name their samples (see `codes`), so that every
pair that reaches Keras tells which file it came from. As soon as all have been seen, DIR/data/heldout.safetensors is written and the
run ends with 0; until then the program goes on, its passes cut to one batch each. Always writes DIR/heldout.json: {"ids": [...], "missing":
[...], "stochastic": false, "error": null or one sentence}; exit 0 only if nothing is missing.
"""

import atexit
import os
import sys
import tempfile

import numpy

from .. import launch
from ..jsonfile import write_json
from . import codes, hooks, start, tensors
from .sources import Sources, is_peek, is_whole

# Readings of a source, which may shuffle and leave out what does not fill a batch.
MOST_READINGS = 4


def add_options(parser):
    parser.add_argument("--capture", default="/capture", help="folder with the pipeline.json of the capture")


class Collector(hooks.Watcher):
    def __init__(self, ids):
        self.ids = ids
        self.sources, self.found, self.shaken = Sources(), {}, set()
        self.error, self._busy = None, False

    def missing(self):
        return sorted(set(self.ids) - self.found.keys())

    def fit(self, model, arguments, run):
        x, y, validation = arguments.get("x"), arguments.get("y"), arguments.get("validation_data")
        self._take(x if is_whole(x) else (x, y), arguments.get("batch_size"))
        if validation is not None:
            self._take(validation if is_whole(validation) else tuple(validation[:2]), arguments.get("batch_size"))
        short = {**arguments, "epochs": 1, "steps_per_epoch": 1, "verbose": 0}
        if validation is not None:
            short["validation_steps"] = 1
        return run(short)

    def evaluated(self, model, what, arguments, run):
        x, y = arguments.get("x"), arguments.get("y")
        if is_whole(x) or y is not None:
            self._take(x if is_whole(x) else (x, y), arguments.get("batch_size"))
        return run(arguments)

    def iterated(self, dataset, start):
        if self._busy or is_peek(dataset):
            return start()
        self._take(dataset)
        return self._short(start)

    def _short(self, start):
        for batch in start():
            yield batch
            return

    def _take(self, dataset, size=None):
        known = len(self.sources.known)
        source = self.sources.of(dataset, size)
        if source.order < known:
            return
        self._busy = True
        try:
            for _ in range(MOST_READINGS):
                before = len(self.found)
                self._read(source)
                if len(self.found) == before:
                    break
        except Exception as problem:
            self.error = f"the data could not be read: {type(problem).__name__}: {problem}"
        finally:
            self._busy = False
        if not self.missing():
            raise launch.Stop

    def _read(self, source):
        fresh = 0
        for x, y in source.batches():
            if y is None:
                raise ValueError("a batch without masks")
            images, masks = tensors.channels_first(x), tensors.channels_first(y)
            for image, mask in zip(images, masks):
                number = codes.decoded(mask[-1])
                if number is None or number >= len(self.ids):
                    self.error = "a mask was flipped, turned, cropped or changed on its way"
                    continue
                name = self.ids[number]
                if name in self.found:
                    self.shaken |= {name} if not numpy.array_equal(self.found[name], image) else set()
                else:
                    self.found[name] = image
                    fresh += 1
            if source.is_endless() and not self.missing():
                return


def run(options):
    start.seed_everything(options.seed)
    program = list(options.program)
    root = program.index("--data") + 1
    staged = tempfile.mkdtemp()
    ids = codes.stage(program[root], staged)
    program[root] = staged
    collector = Collector(ids)
    hooks.install(collector)
    try:
        code = launch.run_program(program)
        if code != 0:
            collector.error = f"main.py ended with exit code {code} on the held-out images"
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
            if len({collector.found[i].shape for i in ids}) > 1:
                raise tensors.Unreadable("held-out images of different sizes")
            tensors.write_split(os.path.join(folder, "data", "heldout.safetensors"), ids,
                                numpy.stack([collector.found[i] for i in ids]))
    except tensors.Unreadable as refusal:
        collector.error = str(refusal)
    write_json(folder, "heldout.json", {
        "ids": ids, "missing": collector.missing(), "stochastic": bool(collector.shaken), "error": collector.error})
