"""TensorFlow, started and seeded."""

import os
import random
import sys


def framework():
    """Imports TensorFlow. What it says of itself while it starts is no output of the program's, and is kept back unless it fails."""
    sys.stderr.flush()
    kept, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    try:
        import tensorflow
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)
    return tensorflow


def seed_everything(seed):
    """Seeds what a pipeline may draw from; PYTHONHASHSEED is set by whoever starts the process."""
    framework()
    import keras
    import numpy

    keras.utils.set_random_seed(seed % (1 << 32))
    random.seed(seed)
    numpy.random.seed(seed % (1 << 32))
