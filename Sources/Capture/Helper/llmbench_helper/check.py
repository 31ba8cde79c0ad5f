"""Mode `check`: one run of main.py, unmodified and seeded, as the contract's check run.

    python /helper/run.py check [--record DIR] [--seed N] -- main.py --data /data --out /out --epochs 2

The exit code and everything printed are the program's own. Writes DIR/observation.json when the program ends.
"""

from . import launch, patches
from .jsonfile import write_json
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
