"""Trains the networks of networks.py with PyTorch in both of its memory layouts and from perturbed weights, and writes graphs.

    python network_reference.py FOLDER HELPER SEED STEPS NAME ...

HELPER is the folder that holds the package llmbench_helper, which records the graphs as in the capture of a pipeline. For network
number I, FOLDER/I holds train-graph.json and eval-graph.json, start.safetensors (parameters, buffers, constants, the batches
`image.B` and `mask.B`, the held-out images `held`), masks.safetensors (`STEP.VALUE`: the random masks of dropout),
and result.safetensors: `loss.default`, `loss.channels_last`, `loss.perturbed` (STEPS), and the output in evaluation mode on the
held-out images after the last step, `output.default` and so on. `perturbed` is the default layout from weights that are off by at
most one part in a million each. Optimizer: Adam, 1e-3.
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

from networks import NETWORKS

BATCHES, BATCH, RATE = 8, 4, 1e-3


def images(count, axes, generator):
    """Bright balls on noise, and where they are: N 1 then `axes` sizes."""
    size = 32 if axes == 2 else 16
    grid = torch.meshgrid(*[torch.arange(size)] * axes, indexing="ij")
    image, mask = [], []
    for _ in range(count):
        centre = torch.randint(size // 4, 3 * size // 4, (axes,), generator=generator)
        radius = torch.randint(size // 8, size // 3, (1,), generator=generator)
        inside = (sum((g - c)**2 for g, c in zip(grid, centre)) < radius**2).float()
        mask.append(inside[None])
        image.append((0.2 + 0.4 * inside + 0.3 * torch.rand(inside.shape, generator=generator))[None])
    return torch.stack(image), torch.stack(mask)


class Masks(TorchDispatchMode):
    """Records the random masks of a step, or puts recorded ones in their place."""

    def __init__(self, given=None):
        super().__init__()
        self.given, self.drawn = given, []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        if str(operation) in ("aten.bernoulli_.float", "aten.bernoulli.p"):
            if self.given is not None:
                result.copy_(self.given[len(self.drawn)])
            self.drawn.append(result.clone(memory_format=torch.contiguous_format))
        elif "bernoulli" in str(operation) or "dropout" in str(operation):
            raise SystemExit(f"{operation} is not recorded")
        return result


def train(make, loss_of, start, batches, held, layout, steps, given):
    model = make()
    model.load_state_dict(start)
    model.train()
    volumes = held.dim() == 5
    form = {"default": torch.contiguous_format,
            "perturbed": torch.contiguous_format,
            "channels_last": torch.channels_last_3d if volumes else torch.channels_last}[layout]
    if layout == "perturbed":
        noise = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for weight in model.parameters():
                weight *= 1 + 1e-6 * (2 * torch.rand(weight.shape, generator=noise) - 1)
    model = model.to(memory_format=form)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    losses, masks = [], []
    for step in range(steps):
        image, mask = batches[step % len(batches)]
        optimizer.zero_grad()
        with Masks(given[step] if given else None) as recorder:
            loss = loss_of(model(image.to(memory_format=form)), mask)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        masks.append(recorder.drawn)
    model.eval()
    with torch.no_grad():
        return torch.stack(losses), model(held.to(memory_format=form)).contiguous(), masks


def record(model, loss_of, batches, folder, start):
    """Writes both graphs; returns constants, and the values that name the random masks in the order of their drawing."""
    from llmbench_helper import capture
    import recording

    constants = {}
    pairs = [{"image": batches[0][0][:n].clone(), "mask": batches[0][1][:n].clone()} for n in (BATCH, BATCH - 1)]
    model.train()
    trained, draws = recording.record(model, lambda m, b: loss_of(m(b["image"]), b["mask"]), pairs, "train", constants)
    model.load_state_dict(start)
    model.eval()
    with torch.no_grad():
        evaluated, _ = recording.record(model, lambda m, b: m(b["image"]), [{"image": p["image"]} for p in pairs], "eval",
                                        constants)
    capture.write_json(str(folder / "train-graph.json"), trained)
    capture.write_json(str(folder / "eval-graph.json"), evaluated)
    return constants, draws


def main():
    root, helper, seed, steps, names = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
    sys.path.insert(0, helper)
    for number, name in enumerate(names):
        make, loss_of, axes = NETWORKS[name]
        folder = root / str(number)
        folder.mkdir(parents=True)
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        batches = [images(BATCH, axes, generator) for _ in range(BATCHES)]
        held, _ = images(3, axes, generator)
        model = make()
        start = {k: t.clone() for k, t in model.state_dict().items()}
        constants, draws = record(model, loss_of, batches, folder, start)
        result, given = {}, None
        for layout in ("default", "channels_last", "perturbed"):
            losses, output, masks = train(make, loss_of, start, batches, held, layout, steps, given)
            given = masks
            result |= {f"loss.{layout}": losses, f"output.{layout}": output}
        if any(len(drawn) != len(draws) for drawn in given):
            raise SystemExit(f"{name}: {len(given[0])} random masks were drawn, the graph has {len(draws)}")
        kept = {f"{step}.{value}": mask for step, drawn in enumerate(given) for value, mask in zip(draws, drawn)}
        tensors = start | constants | {"held": held}
        for index, (image, mask) in enumerate(batches):
            tensors |= {f"image.{index}": image, f"mask.{index}": mask}
        for file, held_tensors in (("start", tensors), ("masks", kept), ("result", result)):
            save_file({k: t.contiguous().clone() for k, t in held_tensors.items()}, str(folder / f"{file}.safetensors"))


if __name__ == "__main__":
    main()
