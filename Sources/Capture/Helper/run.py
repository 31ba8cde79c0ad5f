"""The program that runs generated pipelines inside the sandbox.

    python /helper/run.py MODE [options] -- main.py [arguments of main.py]

Modes (each is a module of `llmbench_helper` with a `run(options)`):

    check        run main.py unmodified, seeded, and note what the contract asks for
    capture      run main.py on the full data, record the training step, the prediction, the loop and the data
    heldout      start main.py on held-out images with placeholder masks and keep the tensors its datasets yield
    emitted      run main.py to its end, then predict the held-out tensors with the weights it evaluated
    train-graph  train a captured graph in PyTorch (no main.py; takes --job FILE)
    agree        train a captured graph in PyTorch three ways, for the comparison with another engine (takes --job FILE)
    describe     describe the U-Net class of a file (no main.py; takes the file as argument)
    verify       describe, and export a reference step for the comparison with another runtime

Where the environment holds TensorFlow in place of PyTorch, all modes but `train-graph` are those of `llmbench_helper.with_keras`, which
adds

    first-losses run main.py to its first step, then train it on given batches, for the comparison with another engine

Options common to all modes: `--record DIR` (default `/out/.llmbench`), the folder that receives what the helper writes,
and `--seed N` (default 0). Every mode documents its own options at the top of its module.
"""

import sys


def main():
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(__doc__)
    mode, rest = arguments[0], arguments[1:]
    own, program = (rest[: rest.index("--")], rest[rest.index("--") + 1 :]) if "--" in rest else (rest, [])
    from llmbench_helper import modes

    modes.run(mode, own, program)


if __name__ == "__main__":
    main()
