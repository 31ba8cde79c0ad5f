"""From the words of the command line to a mode."""

import argparse
import importlib
import importlib.util
import sys

MODES = {
    "check": "check",
    "capture": "capture",
    "heldout": "heldout",
    "emitted": "emitted",
    "train-graph": "train_graph",
    "agree": "agree",
    "describe": "describe",
    "verify": "verify",
    "first-losses": "first_losses",
}


def parser(mode):
    """Options of one mode; modules add theirs with `add_options`."""
    options = argparse.ArgumentParser(prog=f"run.py {mode}", allow_abbrev=False)
    options.add_argument("--record", default="/out/.llmbench", help="folder that receives what the helper writes")
    options.add_argument("--seed", type=int, default=0)
    return options


def package():
    """The environment tells whose pipelines are watched: each framework has one of its own."""
    return __package__ if importlib.util.find_spec("torch") is not None else __package__ + ".with_keras"


def run(mode, own, program):
    """Runs `mode` with its own options; `program` is the generated script and its arguments."""
    if mode not in MODES:
        sys.exit(f"unknown mode {mode}: one of {', '.join(MODES)}")
    if importlib.util.find_spec("." + MODES[mode], package()) is None:
        sys.exit(f"mode {mode} is not there for this environment's framework")
    module = importlib.import_module("." + MODES[mode], package())
    options = parser(mode)
    if hasattr(module, "add_options"):
        module.add_options(options)
    parsed = options.parse_args(own)
    parsed.program = program
    module.run(parsed)
