"""From the words of the command line to a mode."""

import argparse
import importlib
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
}


def parser(mode):
    """Options of one mode; modules add theirs with `add_options`."""
    options = argparse.ArgumentParser(prog=f"run.py {mode}", allow_abbrev=False)
    options.add_argument("--record", default="/out/.llmbench", help="folder that receives what the helper writes")
    options.add_argument("--seed", type=int, default=0)
    return options


def run(mode, own, program):
    """Runs `mode` with its own options; `program` is the generated script and its arguments."""
    if mode not in MODES:
        sys.exit(f"unknown mode {mode}: one of {', '.join(MODES)}")
    module = importlib.import_module("." + MODES[mode], __package__)
    options = parser(mode)
    if hasattr(module, "add_options"):
        module.add_options(options)
    parsed = options.parse_args(own)
    parsed.program = program
    module.run(parsed)
