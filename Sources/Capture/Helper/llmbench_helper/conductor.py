"""Leads a pipeline through its own loop: what each loader yields, which steps are recorded, what is made up."""

import math

import torch

from . import data, loop, prediction
from .models import ModuleStack, Snapshot, named_parameters_of, parameter_count
from .ops import Refused
from .patches import Watcher
from .recorder import Trace

MOST_ACCUMULATED = 64
MARK = 1e-3
# The mark of weights that no single epoch left.
MIXED = "mixed"
GOOD_LOSS_EPOCH, GOOD_DICE_EPOCH = 2, 3


class Step:
    """One batch under observation."""

    def __init__(self, info, batch, trace):
        self.info, self.trace = info, trace
        self.batch = data.batch_size_of(batch)
        self.items = {data.path_name(p): t for p, t in data.leaves(batch) if isinstance(t, torch.Tensor)}
        self.snapshot = Snapshot()
        self.outputs, self.output, self.image_value, self.image_shape = [], None, None, None
        # What the model returned: the output itself, or what holds it.
        self.returned = None
        self.loss = self.loss_value = None
        self.trained = False

    def expected(self, found):
        """The recorded probabilities behind a prediction, as far as they were kept."""
        values = self.trace.kept.get(found.value)
        if values is None:
            return None
        if found.kind == "probability":
            return values[:, 1:2] if values.dim() == 4 and values.shape[1] == 2 else values
        if values.dim() == 4 and values.shape[1] == 2:
            return (values if found.kind == "classes" else torch.softmax(values, 1))[:, 1:2]
        return torch.sigmoid(values)


class Pass:
    """One iteration over a loader."""

    def __init__(self, info):
        self.info, self.count, self.backwards = info, 0, 0
        self.batch = None


class Conductor(Watcher):
    def __init__(self, code_root, files):
        self.code_root, self.files = code_root, files
        self.paused = False
        self.infos, self.order = {}, 0
        self.modules = ModuleStack()
        self.passes = []
        self.step = None
        self.steps, self.train_draws = [], []
        self.train_info, self.model = None, None
        self.image_key = self.mask_key = None
        self.epoch = 0
        self.evaluations = []
        self.optimizers, self.stepping, self.optimizer_steps = [], [], 0
        self.backwards, self.backwards_at_first_step = 0, None
        self.first_groups, self.known_rates = None, {}
        self.schedulers, self.scheduler_steps = [], []
        self.clips = []
        self.parsed_epochs, self.default_epochs, self.seed = None, None, None
        self.mixed_precision = False
        self.refusals, self.notes = [], []
        self.prediction, self.model_output = None, None
        self.maker = None
        self.mark_parameter, self.mark_base = None, None
        self.splits, self.seeds, self.is_compiled, self.wrappers = [], {}, False, set()
        self.evaluated_untrained = False
        files.in_network = lambda: any(parameter_count(m) > 0 for m in self.modules.stack)

    # What the loaders yield

    def loader_arguments(self, arguments):
        self._workers = arguments.get("num_workers", 0) or 0
        self._pinned = bool(arguments.get("pin_memory", False))
        arguments["num_workers"] = 0
        for name in ("prefetch_factor", "persistent_workers", "timeout", "multiprocessing_context", "worker_init_fn"):
            arguments.pop(name, None)
        return arguments

    def loader_made(self, loader):
        self.infos[id(loader)] = data.LoaderInfo(loader, len(self.infos), self._workers, self._pinned)

    def iterate(self, loader, start):
        if self.paused or id(loader) not in self.infos:
            return start()
        return self._conducted(self.infos[id(loader)], start)

    def _conducted(self, info, start):
        here = Pass(info)
        self.passes.append(here)
        source = iter(start())
        try:
            while True:
                self._close_step()
                if self._enough(here):
                    break
                batch = self._next(here, source)
                if batch is None:
                    break
                here.count += 1
                here.batch = batch
                self._open_step(info, batch)
                yield batch
        finally:
            self._close_step()
            if info.training or self.train_info is not None:
                info.passes += 1
            if here in self.passes:
                self.passes.remove(here)

    def _recorded(self, info):
        """Whether everything that passes over this loader can tell is on record."""
        if info.training:
            return len(self.steps) >= 2
        return len(info.eval_traces) >= 2

    def _enough(self, here):
        info = here.info
        if self.train_info is None:
            return False
        if info.training:
            if len(self.steps) < 2:
                return False
            if self.optimizer_steps == 0:
                return here.count >= MOST_ACCUMULATED
            wanted = self.accumulation() if info.passes > 0 else 2
            return here.count >= wanted
        if not self._recorded(info):
            return here.count >= 8
        return here.count >= (1 if info.passes > 0 else 2)

    def _next(self, here, source):
        info = here.info
        skim = self.train_info is not None and self._recorded(info) and info.passes > 0
        if skim and info.skim_batch is not None and (info.training or self.maker is not None):
            return data.items_of_batch(info.skim_batch, range(data.batch_size_of(info.skim_batch)))
        batch = next(source, None)
        if batch is None:
            # A second batch of another size, even where the loader has only one.
            if not info.training and self.train_info is not None and here.count == 1 and info.first_batch is not None:
                return self._other_size(info.first_batch)
            return None
        if info.first_batch is None:
            info.first_batch = batch
        if self.train_info is None:
            return batch
        if info.training:
            if len(self.steps) == 1:
                return self._other_size(batch)
            if len(self.steps) >= 2 and info.passes > 0:
                info.skim_batch = data.items_of_batch(batch, self._with_foreground(batch) or [0, 0])
                return info.skim_batch
            return batch
        if info.skim_batch is None:
            info.skim_batch = self._foreground_batch(batch, source)
        if len(info.eval_traces) == 1:
            return self._other_size(batch)
        return batch

    def _other_size(self, batch):
        count = data.batch_size_of(batch)
        usual = (self.steps[0] if not self.passes[-1].info.eval_traces else self.passes[-1].info.eval_traces[0]).batch
        if count != usual:
            return batch
        chosen = range(count - 1) if count >= 3 else [*range(count), 0]
        return data.items_of_batch(batch, chosen)

    def _with_foreground(self, batch):
        mask = dict((data.path_name(p), t) for p, t in data.leaves(batch)).get(self.mask_key)
        if not isinstance(mask, torch.Tensor) or mask.dim() == 0:
            return None
        present = [i for i in range(mask.shape[0]) if bool((mask[i] > 0).any())]
        return (present * 2)[:2] if present else None

    def _foreground_batch(self, batch, source):
        """Two items with foreground, looked for among the loader's own batches."""
        looked = batch
        for _ in range(32):
            chosen = self._with_foreground(looked)
            if chosen is not None:
                return data.items_of_batch(looked, chosen)
            looked = next(source, None)
            if looked is None:
                break
        return data.items_of_batch(batch, [0, 0])

    # Recording

    def _open_step(self, info, batch):
        if self._recorded(info) or (self.train_info is not None and info.training and len(self.steps) >= 2):
            return
        trace = Trace(self.code_root, self.modules.innermost)
        self.step = Step(info, batch, trace)
        for key, tensor in self.step.items.items():
            trace.name_input(tensor, key)
        trace.__enter__()

    def _close_step(self):
        step, self.step = self.step, None
        if step is None:
            return
        if not step.trained:
            step.trace.__exit__(None, None, None)
            if self.train_info is not None and not step.info.training and step.outputs:
                step.info.eval_traces.append(step)

    def call(self, module, forward, args, kwargs):
        if self.paused:
            return forward(module, *args, **kwargs)
        outside = not self.modules.stack
        root = self.modules.root_of(module) if outside and (self.passes or self.step) else None
        if root is not None:
            made_up = self._before_model(root, module, args, kwargs)
            if made_up is not None:
                return made_up
        if outside and isinstance(module, torch.nn.DataParallel):
            self.wrappers.add("DataParallel")
        self.modules.stack.append(module)
        try:
            result = forward(module, *args, **kwargs)
        finally:
            self.modules.stack.pop()
        # A loss that is held by the same module as the model is called from outside too.
        if root is not None and self.step is not None and not self.step.trained and parameter_count(module) > 0:
            self._after_model(args, kwargs, result)
        return result

    def _before_model(self, root, module, args, kwargs):
        here = self.passes[-1] if self.passes else None
        if self.step is not None:
            self.step.snapshot.add(root)
        if parameter_count(module) == 0:
            return None
        if torch.is_autocast_enabled("cpu"):
            self.mixed_precision = True
            self.refusals.append("mixed precision: the forward pass runs under autocast")
        if here is not None and self.model is None and not torch.is_grad_enabled() and not module.training:
            self.evaluated_untrained = True
        if here is None or self.model is None or not self._is_model(root):
            return None
        if not here.info.training and not torch.is_grad_enabled() or not module.training:
            self.evaluations.append((here.info, self.epoch, self._mark_of(root)))
        image = next((t for _, t in data.leaves((list(args), kwargs)) if isinstance(t, torch.Tensor)), None)
        if module is not root or image is None or self.step is not None:
            return None
        if self.maker is None or not self._recorded(here.info):
            return None
        return self.maker.output(self, here, image, root)

    def _is_model(self, root):
        return root is self.model or (type(root) is type(self.model)
                                      and parameter_count(root) == parameter_count(self.model))

    def _after_model(self, args, kwargs, result):
        trace = self.step.trace
        images = [t for _, t in data.leaves((list(args), kwargs)) if isinstance(t, torch.Tensor)]
        outputs = [t for _, t in data.leaves(result) if isinstance(t, torch.Tensor)]
        if images:
            self.step.image_value, self.step.image_shape = trace.value_of(images[0]), tuple(images[0].shape)
        self.step.outputs = [v for v in (trace.value_of(t) for t in outputs) if v is not None]
        self.step.returned = result
        self.step.output = outputs[0] if len(outputs) == 1 else None
        if self.step.output is not None and self.step.outputs:
            trace.kept[self.step.outputs[0]] = self.step.output.detach().clone()

    def backward(self, tensors):
        if self.paused:
            return
        here = next((p for p in reversed(self.passes)), None)
        if here is None:
            return
        self.backwards += 1
        here.backwards += 1
        if here.backwards == 1:
            self.epoch += 1
            if self.epoch == 2:
                self._begin_skimming()
        step = self.step
        if step is None or step.trained:
            if step is not None:
                self.refusals.append("backward() is called more than once for a batch")
            return
        with torch.utils._python_dispatch._disable_current_modes():
            loss_value = float(tensors[0].detach().sum())
        step.trace.__exit__(None, None, None)
        step.trained = True
        step.loss, step.loss_value = step.trace.value_of(tensors[0]), loss_value
        if step.loss is None or len(tensors) != 1:
            self.refusals.append("backward() was called on something the step did not compute")
            return
        if here.info is not self.train_info:
            if self.train_info is not None:
                self.refusals.append("two data loaders feed the training")
            self.train_info, here.info.training = here.info, True
            self.model = step.snapshot.main
            self._find_keys(step)
        self._look_for_custom_gradients(tensors[0])
        self.steps.append(step)

    def _find_keys(self, step):
        maker = {o: e for e in step.trace.entries for o in e.outputs if o is not None}

        def named_behind(value):
            found, stack, seen = [], [value], set()
            while stack:
                v = stack.pop()
                if v in seen or v is None:
                    continue
                seen.add(v)
                if v in step.trace.named:
                    found.append(step.trace.named[v])
                elif v in maker:
                    stack.extend(maker[v].reads())
            return found

        images = named_behind(step.image_value)
        self.image_key = images[0] if images else None
        others = [k for k in named_behind(step.loss) if k != self.image_key]
        self.mask_key = others[0] if len(others) == 1 else None
        if len(others) != 1:
            self.refusals.append(f"the loss reads {len(others)} items of the batch beside the image, not the mask alone")

    def _look_for_custom_gradients(self, loss):
        stack, seen = [loss.grad_fn], set()
        while stack:
            function = stack.pop()
            if function is None or function in seen:
                continue
            seen.add(function)
            if isinstance(function, torch.autograd.function.BackwardCFunction):
                self.refusals.append(f"a gradient written by hand ({type(function).__name__.removesuffix('Backward')})")
            stack.extend(f for f, _ in function.next_functions)

    def differentiated_by_hand(self):
        if self.train_info is not None and not self.paused:
            self.refusals.append("torch.autograd.grad is called in the loop")

    # Skimming

    def _begin_skimming(self):
        info = self.evaluated()
        if info is None or len(info.eval_traces) < 1:
            return
        from .makeup import Makeup

        self.maker = Makeup.of(info.eval_traces[0], self.steps[0])
        names = named_parameters_of(self.model)
        stepping = self.stepping[0] if self.stepping else None
        for group in stepping.param_groups if stepping else []:
            for parameter in group["params"]:
                if parameter.requires_grad and id(parameter) in names:
                    self.mark_parameter = names[id(parameter)]
                    self.mark_base = float(_corner(parameter))
                    return

    def _mark_of(self, root):
        if self.mark_parameter is None:
            return None
        parameter = dict(root.named_parameters()).get(self.mark_parameter)
        if parameter is None:
            return None
        mark = (float(_corner(parameter)) - self.mark_base) / MARK
        return round(mark) if abs(mark - round(mark)) < 0.05 else MIXED

    # The loop

    def optimizer_made(self, optimizer):
        self.optimizers.append(optimizer)

    def before_optimizer_step(self, optimizer):
        if self.paused:
            return
        if not any(optimizer is o for o in self.stepping):
            self.stepping.append(optimizer)
        rates = [float(g["lr"]) for g in optimizer.param_groups]
        if self.first_groups is None:
            self.first_groups = loop.hyperparameters(optimizer)
            self.backwards_at_first_step = self.backwards
        elif self.known_rates.get(id(optimizer), rates) != rates:
            self.refusals.append("the learning rate is changed by hand, without a scheduler of PyTorch")
        self.known_rates[id(optimizer)] = rates
        self.optimizer_steps += 1

    def after_optimizer_step(self, optimizer):
        if self.mark_parameter is not None and self.epoch >= 2:
            parameter = dict(self.model.named_parameters())[self.mark_parameter]
            with torch.no_grad():
                parameter.data[(0,) * parameter.dim()] = self.mark_base + self.epoch * MARK

    def scheduler_made(self, scheduler, arguments):
        self.schedulers.append((scheduler, arguments))

    def scheduler_stepped(self, scheduler, arguments):
        if self.paused:
            return
        inside = bool(self.passes) and self.passes[-1].info.training
        value = arguments[0] if arguments else None
        value = float(value) if isinstance(value, (int, float, torch.Tensor)) or hasattr(value, "item") else None
        self.scheduler_steps.append((scheduler, self.epoch, inside, value))
        self.known_rates[id(scheduler.optimizer)] = [float(g["lr"]) for g in scheduler.optimizer.param_groups]

    def clipped(self, kind, arguments):
        if not self.paused and self.train_info is not None:
            self.clips.append((kind, arguments))

    def epochs_parsed(self, default, value):
        self.default_epochs, self.parsed_epochs = default, value

    def split(self, name, seed):
        if not self.paused:
            self.splits.append((name, seed))

    def compiled(self):
        self.is_compiled = True

    def seeded(self, library, value):
        if isinstance(value, int) and self.train_info is None and not self.paused:
            self.seeds.setdefault(library, value)
        if isinstance(value, int) and self.train_info is None and not self.paused:
            if library == "torch" or self.seed is None:
                self.seed = value

    def finish(self):
        self._close_step()
        self.paused = True

    # What was found

    def epochs(self):
        value = self.parsed_epochs
        return int(value) if isinstance(value, (int, float)) and value is not True else self.epoch

    def accumulation(self):
        return max(1, self.backwards_at_first_step or 1)

    def evaluated(self):
        """The loader whose pass tells the prediction: validation, else whichever was evaluated."""
        train, validation, test = self.roles()
        for info in (validation, test):
            if info is not None and len(info.eval_traces) >= 2:
                return info
        return next((i for i in self.infos.values() if len(i.eval_traces) >= 2), None)

    def roles(self):
        """(train, validation, test) loaders; None where none was seen."""
        return data.roles(self.train_info, self.infos.values(), self.evaluations, self.epoch)

    def test_seen(self):
        test = self.roles()[2]
        return test is not None and any(i is test for i, _, _ in self.evaluations)

    def describe_optimizer(self):
        if not self.stepping:
            raise Refused("no optimizer of PyTorch steps")
        if len(self.stepping) != 1:
            raise Refused(f"{len(self.stepping)} optimizers step, not one")
        names = named_parameters_of(self.model)
        groups = [{**g, "lr": g.get("initial_lr", g["lr"])} for g in self.first_groups]
        return loop.describe_optimizer(self.stepping[0], names, groups)

    def describe_scheduler(self, epochs):
        used = [s for s, _, _, _ in self.scheduler_steps]
        active = [(s, a) for s, a in self.schedulers if any(s is u for u in used)]
        if not active:
            return None
        if len(active) > 1:
            raise Refused("more than one scheduler steps")
        scheduler, arguments = active[0]
        events = [(e, inside, v) for s, e, inside, v in self.scheduler_steps if s is scheduler]
        if type(scheduler).__name__ == "ReduceLROnPlateau":
            when = "metric:" + self._metric({e: v for e, _, v in events}, scheduler.mode)
        else:
            when = "batch" if events[0][1] else "epoch"
        steps = epochs or 0
        if when == "batch":
            steps *= math.ceil(len(self.train_info.loader) / self.accumulation())
        return loop.describe_scheduler(scheduler, arguments, when, steps, self.schedulers)

    def _metric(self, values, mode):
        low, high, bad = (values.get(e) for e in (GOOD_LOSS_EPOCH, GOOD_DICE_EPOCH, GOOD_DICE_EPOCH + 1))
        if self.maker is None or None in (low, high, bad):
            name = "validation_loss" if mode == "min" else "validation_dice"
            self.notes.append(f"too few epochs to see what the scheduler is given; {name} was taken from its mode")
            return name
        if low < high < bad:
            return "validation_loss"
        if low < high and bad < high:
            return "validation_dice"
        raise Refused("the scheduler is given a value that follows neither the validation loss nor the validation Dice")

    def describe_clip(self):
        if not self.clips:
            return None
        kind, arguments = self.clips[0]
        if kind == "norm":
            return {"kind": "norm", "max": loop.plain(arguments["max_norm"]),
                    "norm_type": loop.plain(arguments["norm_type"])}
        return {"kind": "value", "max": loop.plain(arguments["clip_value"])}

    def describe_evaluated_weights(self):
        test = self.roles()[2]
        marks = [mark for info, _, mark in self.evaluations if info is test and info is not None]
        if not marks or self.epoch < 2:
            self.notes.append("no test pass after several epochs was seen; the last weights were taken as evaluated")
            return {"kind": "last"}
        mark = marks[-1]
        if mark is None:
            self.notes.append("which weights the test uses was not seen; the last ones were taken as evaluated")
            return {"kind": "last"}
        if mark == self.epoch:
            return {"kind": "last"}
        if mark == MIXED:
            raise Refused("the test uses weights that no single epoch left, such as a moving average")
        if self.maker is None or self.epoch <= GOOD_DICE_EPOCH:
            raise Refused("earlier weights are restored before the test, and the monitor could not be told")
        if mark == GOOD_LOSS_EPOCH:
            return {"kind": "best", "monitor": "validation_loss", "mode": "min"}
        if mark == GOOD_DICE_EPOCH:
            return {"kind": "best", "monitor": "validation_dice", "mode": "max"}
        raise Refused(f"the test uses weights of epoch {mark}, which neither validation loss nor Dice explains")

    def describe_early_stopping(self, epochs, weights):
        if self.epoch >= epochs or self.epoch < 2:
            return None
        if self.maker is None:
            raise Refused("the loop ends early, and the monitor could not be told")
        monitor = weights.get("monitor", "validation_loss") if weights else "validation_loss"
        best = GOOD_LOSS_EPOCH if monitor == "validation_loss" else GOOD_DICE_EPOCH
        mode = "min" if monitor == "validation_loss" else "max"
        if self.epoch <= best:
            raise Refused(f"the loop ends after {self.epoch} of {epochs} epochs for a reason that was not seen")
        return {"monitor": monitor, "mode": mode, "patience": self.epoch - best, "min_delta": 0}


def _corner(parameter):
    return parameter.detach()[(0,) * parameter.dim()]
