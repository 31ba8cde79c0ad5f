"""Starts a generated script as Python itself would: as `__main__`, with its own folder first on the path, and with
tracebacks that show nothing of the helper."""

import importlib.util
import os
import sys
import threading
import traceback
import types

HELPER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Stop(BaseException):
    """Ends the generated program from inside once everything is known. No `except Exception` catches it."""


def seed_everything(seed):
    """Seeds what a pipeline may draw from; PYTHONHASHSEED is set by whoever starts the process."""
    import random

    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed % (1 << 32))
    torch.manual_seed(seed)


def load(path):
    """Imports a generated file under its own name, with its folder first on the path; what it raises passes through."""
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def run_program(program):
    """Runs `program` (script and arguments) and returns its exit code. `Stop` passes through."""
    script = os.path.abspath(program[0])
    sys.argv = list(program)
    if sys.path and os.path.abspath(sys.path[0] or ".") == HELPER:
        sys.path.pop(0)
    sys.path.insert(0, os.path.dirname(script))
    module = types.ModuleType("__main__")
    module.__file__ = script
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    threading.excepthook = _thread_hook
    try:
        with open(script, "rb") as source:
            code = source.read()
        compiled = compile(code, script, "exec", dont_inherit=True)
        # A program that recurses without end reaches its limit at the same depth as without the helper (and `exec`) below it.
        sys.setrecursionlimit(sys.getrecursionlimit() + _depth() + 1)
        exec(compiled, module.__dict__)
        return 0
    except Stop:
        raise
    except SystemExit as end:
        return _exit_code(end)
    except FileNotFoundError as error:
        if error.filename == script and error.__traceback__.tb_next is None:
            print(f"python: can't open file '{script}': [Errno 2] No such file or directory", file=sys.stderr)
            return 2
        print_exception(error)
        return 1
    except BaseException as error:
        print_exception(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1


def _depth():
    frame, depth = sys._getframe(1), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    return depth


def _exit_code(end):
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    sys.stdout.flush()
    print(end.code, file=sys.stderr)
    return 1


def print_exception(error):
    """Prints `error` to standard error the way the interpreter does, without the helper's own frames."""
    sys.stdout.flush()
    shown = traceback.TracebackException(type(error), error, error.__traceback__)
    strip(shown)
    sys.stderr.write("".join(shown.format()))
    sys.stderr.flush()


def strip(shown, seen=None):
    """Cuts the helper's frames out of a `TracebackException` and of everything chained to it."""
    seen = seen if seen is not None else set()
    if shown is None or id(shown) in seen:
        return
    seen.add(id(shown))
    if shown.stack is not None:
        kept = [frame for frame in shown.stack if not frame.filename.startswith(HELPER + os.sep)]
        shown.stack = traceback.StackSummary.from_list(kept) if kept else None
    strip(shown.__cause__, seen)
    strip(shown.__context__, seen)
    for inner in getattr(shown, "exceptions", None) or []:
        strip(inner, seen)


def _thread_hook(arguments):
    if arguments.exc_type is SystemExit:
        return
    name = arguments.thread.name if arguments.thread else "<unknown>"
    sys.stderr.write(f"Exception in thread {name}:\n")
    print_exception(arguments.exc_value)


def finish(code):
    """Ends the process with `code` after flushing; exit handlers of the generated code still run."""
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
