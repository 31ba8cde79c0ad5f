"""Records a function of PyTorch modules as a graph, as the capture of a pipeline does: at two batch sizes, made one."""

import pathlib

from llmbench_helper import capture, graph, models, recorder


def record(module, compute, batches, kind, constants):
    """(graph, values of the random masks): `compute(module, batch)` at each of two batches, dictionaries of named tensors.

    `kind` is "train" (gradients, the value is the loss) or "eval". New constants are added to `constants` by name.
    """
    drafts, sizes = [], [next(iter(batch.values())).shape[0] for batch in batches]
    for batch in batches:
        stack = models.ModuleStack()
        trace, snapshot = recorder.Trace(str(pathlib.Path(__file__).parent), stack.innermost), models.Snapshot()
        snapshot.add(module)
        for name, tensor in batch.items():
            trace.name_input(tensor, name)
        with trace:
            value = compute(module, batch)
        draft = graph.Draft(trace, trace.value_of(value), capture.leaf_namer(trace, snapshot, constants),
                            differentiable=kind == "train")
        draft.prune([draft.target])
        drafts.append(draft)
    made = graph.unify(*drafts, sizes)
    made.update(kind=kind, outputs={"loss" if kind == "train" else "probability": drafts[0].target})
    if kind == "eval":
        made["threshold"] = {"value": 0.5, "comparison": "gt"}
    return made, list(drafts[0].draws)
