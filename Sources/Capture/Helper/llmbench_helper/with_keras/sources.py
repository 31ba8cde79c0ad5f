"""The data that a pipeline feeds to Keras: datasets of tf.data, `PyDataset`s, or arrays."""

import numpy

# Batches of a source that are looked at, at most: a dataset may repeat itself without an end.
MOST_BATCHES = 4096


class Source:
    """One part of the data, as the program holds it."""

    def __init__(self, dataset, order, size=None):
        """dataset: what the program handed over, or the pair of its arrays. size: the batch size that arrays are cut into."""
        self.dataset, self.order, self.size = dataset, order, size
        self._counts = None

    def batches(self):
        """(inputs, targets or None) of each batch, as arrays, in the order of the source."""
        import keras
        import tensorflow

        if isinstance(self.dataset, tensorflow.data.Dataset):
            for batch in self.dataset.take(MOST_BATCHES):
                yield pair(batch)
        elif isinstance(self.dataset, keras.utils.PyDataset):
            for index in range(min(len(self.dataset), MOST_BATCHES)):
                yield pair(self.dataset[index])
        else:
            x, y = self.dataset
            for start in range(0, len(x), self.batch_size()):
                stop = start + self.batch_size()
                yield array(x[start:stop]), None if y is None else array(y[start:stop])

    def batch_size(self):
        return int(self.size or 32)

    def is_arrays(self):
        return isinstance(self.dataset, tuple)

    def is_endless(self):
        import tensorflow

        return (isinstance(self.dataset, tensorflow.data.Dataset)
                and int(self.dataset.cardinality()) == int(tensorflow.data.INFINITE_CARDINALITY))

    def drops_rest(self):
        """Whether a dataset leaves out what does not fill a batch."""
        return any(getattr(d, "_drop_remainder", None) is not None and bool(d._drop_remainder.numpy())
                   for d in [self.dataset, *ancestors(self.dataset)])

    def counts(self):
        """(batches, samples, batch size), or None where they cannot be counted."""
        if self._counts is None and not self.is_endless():
            try:
                sizes = [len(x) for x, _ in self.batches()]
            except Exception:
                return None
            if sizes and len(sizes) < MOST_BATCHES:
                self._counts = len(sizes), sum(sizes), max(sizes)
        return self._counts


class Sources:
    """The sources that were met, each once."""

    def __init__(self):
        self.known = []

    def of(self, dataset, size=None):
        """The source of what the program handed over; one that was derived from a known one counts as that one."""
        key = dataset[0] if isinstance(dataset, tuple) else dataset
        for source in self.known:
            other = source.dataset[0] if isinstance(source.dataset, tuple) else source.dataset
            if other is key:
                return source
        for ancestor in ancestors(key):
            for source in self.known:
                if source.dataset is ancestor:
                    return source
        self.known.append(Source(dataset, len(self.known), size))
        return self.known[-1]


def ancestors(dataset):
    """The datasets that a tf.data.Dataset was made from, nearest first."""
    found, stack = [], [dataset]
    while stack and len(found) < 64:
        for parent in getattr(stack.pop(), "_inputs", list)():
            found.append(parent)
            stack.append(parent)
    return found


def is_peek(dataset):
    """Whether a dataset is the beginning of another: `train.take(1)`."""
    return type(dataset).__name__ == "_TakeDataset"


def is_whole(thing):
    """Whether this is a source that knows its own batches."""
    import keras
    import tensorflow

    return isinstance(thing, (tensorflow.data.Dataset, keras.utils.PyDataset))


def pair(batch):
    """(inputs, targets or None) of what a source yields: a tuple, a dictionary, or the inputs alone."""
    if isinstance(batch, dict):
        values = list(batch.values())
    elif isinstance(batch, (tuple, list)):
        values = list(batch)
    else:
        values = [batch]
    arrays = [array(v) for v in values[:2]]
    return arrays[0], arrays[1] if len(arrays) > 1 else None


def array(thing):
    return thing.numpy() if hasattr(thing, "numpy") else numpy.asarray(thing)
