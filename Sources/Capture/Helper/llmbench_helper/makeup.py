"""Made-up model outputs: a validation loss and a Dice score of our choice."""

import torch

from . import data, prediction


class Makeup:
    """How an output of the model looks, and what to return in its place while epochs are skimmed."""

    def __init__(self, kind, channels, threshold, trains, returned=None):
        self.kind, self.channels, self.threshold = kind, channels, threshold
        self.trains, self.returned = trains, returned

    @classmethod
    def of(cls, evaluation, training):
        """None where the model's evaluation output holds no single tensor of one or two channels per pixel."""
        if evaluation.output is None or not evaluation.outputs:
            return None
        shape = evaluation.output.shape
        channels = shape[1] if len(shape) == 4 else 0
        if channels not in (0, 1, 2):
            return None
        maker = {o: e for e in evaluation.trace.entries for o in e.outputs if o is not None}
        kind = prediction._kind(evaluation.outputs[0], maker)
        found = prediction.find(evaluation.trace, evaluation.outputs)
        threshold = found.threshold if 0.05 < found.threshold < 0.95 else 0.5
        same = (training.output is not None and training.output.shape[1:] == shape[1:]
                and type(training.returned) is type(evaluation.returned))
        return cls(kind, channels, threshold, same, evaluation.returned)

    def output(self, conductor, here, image, root):
        """A made-up output for `image`, or None to run the model."""
        n, (h, w) = image.shape[0], image.shape[-2:]
        if torch.is_grad_enabled() and root.training:
            if not self.trains:
                return None
            # Tied to every parameter with a weight too small to matter, so that each gets a gradient.
            tie = sum(p[(0,) * p.dim()] for p in root.parameters() if p.requires_grad) * 1e-9
            return self._returned(self._shaped(torch.full((n, 1, h, w), 0.5)) + tie)
        mask = dict((conductor_key(p), t) for p, t in _leaves(here.batch)).get(conductor.mask_key)
        if not isinstance(mask, torch.Tensor) or mask.numel() != n * h * w:
            return None
        foreground = mask.detach().reshape(n, 1, h, w).float() > 0
        return self._returned(self._shaped(self._probabilities(foreground, conductor.epoch)))

    def _returned(self, output):
        """The output within what the model returns."""
        return data.rebuilt(self.returned, lambda _, leaf: output if isinstance(leaf, torch.Tensor) else leaf)

    def _probabilities(self, foreground, epoch):
        from .conductor import GOOD_DICE_EPOCH, GOOD_LOSS_EPOCH

        t = self.threshold
        if epoch == GOOD_LOSS_EPOCH:
            inside, outside = t - 0.01, 0.001
        elif epoch == GOOD_DICE_EPOCH:
            inside, outside = t + 0.01, t - 0.01
        else:
            inside, outside = 0.01, 0.99
        return torch.where(foreground, torch.tensor(inside), torch.tensor(outside))

    def _shaped(self, probability):
        if self.channels == 2:
            both = torch.cat([1 - probability, probability], 1)
            return both if self.kind == "probability" else both.log()
        values = probability if self.kind == "probability" else torch.logit(probability)
        return values if self.channels == 1 else values[:, 0]


def conductor_key(path):
    return ".".join(str(part) for part in path) if path else "0"


def _leaves(batch):
    from .data import leaves

    return leaves(batch)
