"""How far a training is, in a file that the host reads while the program runs.

progress.json: {"epoch": 1, "epochs": 12 or null, "batch": 3, "batches": 24 or null, "loss": 0.5 or null}; whole at any time, written
at most twice a second.
"""

import math
import os
import time

from .jsonfile import write_json

NAME = "progress.json"


class Progress:
    def __init__(self, folder, pause=0.5):
        self.folder, self.pause, self.written = folder, pause, -math.inf

    def step(self, epoch, epochs, batch, batches, loss):
        """`loss` is a function of nothing, called only when a line is written: reading a tensor can cost time."""
        now = time.monotonic()
        if now - self.written < self.pause:
            return
        self.written = now
        value = loss()
        write_json(self.folder, NAME, {
            "epoch": epoch, "epochs": epochs, "batch": batch, "batches": batches,
            "loss": value if math.isfinite(value) else None})

    def clear(self):
        """Nothing of an earlier process remains."""
        try:
            os.remove(os.path.join(self.folder, NAME))
        except OSError:
            pass
