"""Mode `check`: one run of main.py, unmodified and seeded, as the contract's check run.

    python /helper/run.py check [--record DIR] [--seed N] -- main.py --data /data --out /out --epochs 2

The exit code and everything printed are the program's own. Writes DIR/observation.json when the program ends.
"""

import json
import os

from . import launch, patches
from .observe import Observer


def run(options):
    launch.seed_everything(options.seed)
    observer = Observer()
    patches.install(observer)
    code = 1
    try:
        code = launch.run_program(options.program)
    finally:
        write_json(options.record, "observation.json", observer.observation())
    launch.finish(code)


def write_json(folder, name, thing):
    """Writes one file of the record; a folder that the program made unwritable is the program's loss, not an error."""
    try:
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name)
        with open(path + ".part", "w") as file:
            json.dump(thing, file, indent=1)
        os.replace(path + ".part", path)
    except OSError:
        pass
