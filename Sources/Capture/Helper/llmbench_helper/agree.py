"""Mode `agree`: what PyTorch makes of a captured graph, for another engine to be compared with.

    python /helper/run.py agree --job FILE [--record DIR]

The job is one of mode `train-graph` with one epoch of batches; every dropout mask keeps everything. The graph is trained three
times on these batches: in PyTorch's default memory layout, in channels-last, whose kernels add in another order, and in the default
layout from weights that are off by at most one part in a million each. The last two tell what a difference from the first means.

Writes DIR/agree.safetensors: `before`, the probabilities of the held-out images from the captured weights; and for V in `default`,
`channels_last`, `perturbed`: `gradient.V.NAME` of each parameter in the first batch, before any clipping; `loss.V`, one a batch; and
`after.V`, the probabilities after the last batch. Exit code 0; 1 with one line on standard error.
"""

import json
import os
import sys

import torch

from . import data
from .interpreter import GraphError
from .train_graph import Trainer

VARIANTS = ("default", "channels_last", "perturbed")
PERTURBATION = 1e-6


def add_options(parser):
    parser.add_argument("--job", required=True)


class Reference(Trainer):
    """One training of the job, nothing of it kept on disk."""

    def __init__(self, job, record, variant):
        super().__init__(job, record, None)
        self.form = torch.channels_last if variant == "channels_last" else torch.contiguous_format
        noise = torch.Generator().manual_seed(1)
        for parameter in self.learnt.values():
            if variant == "perturbed":
                parameter.data *= 1 + PERTURBATION * (2 * torch.rand(parameter.shape, generator=noise) - 1)
            if parameter.dim() == 4:
                parameter.data = parameter.data.to(memory_format=self.form)

    def _batch(self, part, indices):
        batch = super()._batch(part, indices)
        return {**batch, "image": batch["image"].to(memory_format=self.form)}

    def gradients(self):
        """Of the first batch, by name; running statistics are left as they were."""
        indices = self.job["order"][0][0]
        tensors = {name: tensor.detach().clone().requires_grad_(name in self.learnt)
                   for name, tensor in self.tensors.items()}
        self.train.run(self._batch("train", indices), tensors, self._draws(len(indices)))["loss"].backward()
        return {name: tensors[name].grad for name in self.learnt if tensors[name].grad is not None}

    @torch.no_grad()
    def probabilities(self):
        _, images, _ = data.read_split_file(self.heldout)
        images = images.to(memory_format=self.form)
        return self.eval.run({"image": images}, self.tensors, training=False)["probability"]


def run(options):
    with open(options.job, "rb") as file:
        job = json.load(file)
    job["dropout"] = "off"
    torch.set_num_threads(int(job.get("threads") or 2))
    found = {}
    try:
        for variant in VARIANTS:
            reference = Reference(job, options.record, variant)
            if variant == "default":
                found["before"] = reference.probabilities()
            found |= {f"gradient.{variant}.{name}": gradient for name, gradient in reference.gradients().items()}
            reference._train_epoch(1, job["order"][0])
            found["loss." + variant] = torch.tensor(reference.losses, dtype=torch.float64).to(torch.float32)
            found["after." + variant] = reference.probabilities()
    except (GraphError, KeyError, ValueError, OSError) as problem:
        sys.exit(f"agree: {problem}")
    reference._save({name: tensor.detach().contiguous().clone() for name, tensor in found.items()}, "agree.safetensors")
