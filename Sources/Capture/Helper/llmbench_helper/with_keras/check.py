"""Mode `check` for TensorFlow: one run of main.py, unmodified and seeded, as the contract's check run.

    python /helper/run.py check [--record DIR] [--seed N] -- main.py --data /data --out /out --epochs 2

The exit code and everything printed are the program's own. Writes DIR/observation.json when the program ends.
"""

from .. import launch
from ..jsonfile import write_json
from . import hooks, start
from .observe import Observer


def run(options):
    start.seed_everything(options.seed)
    observer = Observer()
    hooks.install(observer)
    code = 1
    try:
        code = launch.run_program(options.program)
    finally:
        # The data are counted only where the program could read them.
        write_json(options.record, "observation.json", observer.observation(counted=code == 0))
    launch.finish(code)
