"""Drives nnU-Net v2, configuration 2d: fingerprint, plan, preprocessing, training, prediction.

    run.py check                      what is installed, as one line of JSON
    run.py train --folder DIR [...]   all stages of the run in DIR, or those that an interrupted process left

DIR holds `request.json` and `raw/`, both written by the host. Everything else is made here: `preprocessed/`, `trained/`,
`predictions/` (held-out images) and `events.jsonl`, which the host reads as it grows. Nothing inside of the package is changed: the budget
comes from a trainer class that nnU-Net finds through `nnUNet_extTrainer`.

Heavy modules are imported inside functions: nnU-Net starts workers that import this file again.
"""

import argparse
import json
import math
import os
import random
import signal
import sys
import threading
import time
import traceback
from importlib import metadata

VERSION = "2.8.1"
TRAINER = "LLMBenchTrainer"
CONFIGURATION = "2d"
PLANS = "nnUNetPlans"
# Poolings below two leave deep supervision without a weight (its sum is zero).
FEWEST_STAGES = 3
# Resident memory of the interpreter with PyTorch and nnU-Net, before the first batch: 932 MiB were measured on Linux.
PROCESS_BYTES = 1000 << 20


class Refusal(Exception):
    """What cannot be trained, with the facts of its sentence; the host makes the sentence."""

    def __init__(self, kind, **facts):
        super().__init__(kind)
        self.kind = kind
        self.facts = facts


class Run:
    def __init__(self, options):
        self.folder = os.path.abspath(options.folder)
        with open(self.path("request.json"), encoding="utf-8") as file:
            self.request = json.load(file)
        self.options = options
        self.dataset = self.request["dataset"]

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def event(self, name, /, **facts):
        with open(self.path("events.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"event": name, **facts}, allow_nan=False) + "\n")

    def stage(self, name):
        self.event("stage", stage=name)

    def is_done(self, name):
        return os.path.exists(self.path(f"{name}.done"))

    def set_done(self, name):
        with open(self.path(f"{name}.done"), "w", encoding="utf-8"):
            pass

    # Settings

    def prepare(self):
        environment = {
            "nnUNet_raw": self.path("raw"),
            "nnUNet_preprocessed": self.path("preprocessed"),
            "nnUNet_results": self.path("trained"),
            "nnUNet_extTrainer": os.path.join(os.path.dirname(os.path.abspath(__file__)), "trainer"),
            # So many threads predict; how many processes prepare is said to each step.
            "nnUNet_def_n_proc": str(max(self.options.processes, self.options.threads)),
            "nnUNet_n_proc_DA": "1",
            "LLMBENCH_NNUNET_REQUEST": self.path("request.json"),
            "MPLCONFIGDIR": self.path("scratch"),
        }
        for name in ("raw", "preprocessed", "trained", "scratch"):
            os.makedirs(self.path(name), exist_ok=True)
        os.environ.update(environment)
        # A line left half by a process that was killed would swallow the next one.
        events = self.path("events.jsonl")
        if os.path.exists(events) and os.path.getsize(events) > 0:
            with open(events, "rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")

    def choose_device(self):
        import torch

        wanted = self.request["device"]
        has_cuda = torch.cuda.is_available()
        if wanted == "cuda" and not has_cuda:
            raise Refusal("device")
        name = "cuda" if wanted != "cpu" and has_cuda else "cpu"
        if name == "cpu":
            torch.set_num_threads(self.options.threads)
        else:
            torch.set_num_threads(1)
        self.device = torch.device(name)
        self.event("versions", nnunetv2=metadata.version("nnunetv2"), torch=torch.__version__,
                   python=sys.version.split()[0], device=name, threads=torch.get_num_threads())

    # Stages

    def plan(self):
        from nnunetv2.experiment_planning.plan_and_preprocess_api import (
            extract_fingerprint_dataset, plan_experiment_dataset)
        from nnunetv2.utilities.dataset_name_id_conversion import convert_dataset_name_to_id

        if not self.is_done("plan"):
            number = convert_dataset_name_to_id(self.dataset)
            self.stage("fingerprint")
            extract_fingerprint_dataset(number, num_processes=self.options.processes, show_progress_bar=False)
            self.stage("plan")
            plan_experiment_dataset(number)
            self.set_batch_size()
            self.set_done("plan")
        plan = self.plans()["configurations"][CONFIGURATION]
        stages = plan["architecture"]["arch_kwargs"]["n_stages"]
        self.event("plan", batch_size=plan["batch_size"], patch=plan["patch_size"], stages=stages)
        if stages < FEWEST_STAGES:
            raise Refusal("patch", patch=plan["patch_size"])
        return plan

    def plans_path(self):
        return self.path("preprocessed", self.dataset, PLANS + ".json")

    def plans(self):
        with open(self.plans_path(), encoding="utf-8") as file:
            return json.load(file)

    def set_batch_size(self):
        """A batch size of the user's takes the place of the planned one, as anyone would edit the plan."""
        wanted = self.request["batch_size"]
        if wanted is None:
            return
        plans = self.plans()
        plans["configurations"][CONFIGURATION]["batch_size"] = wanted
        partial = self.plans_path() + ".partial"
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(plans, file, indent=4)
        os.replace(partial, self.plans_path())

    def require_memory(self, plan):
        import torch

        available = self.options.available_bytes
        if self.device.type == "cuda" and not self.options.assume_bytes:
            available = torch.cuda.mem_get_info()[0]
        if available is None:
            return
        fixed, sample = training_bytes(plan, self.request["channels"], self.device)
        batch = plan["batch_size"]
        needed = fixed + batch * sample
        self.event("memory", needed=needed, available=available)
        if needed > available:
            raise Refusal("memory", needed=needed, available=available, batch=batch,
                          fitting=max(0, (available - fixed) // sample))

    def preprocess(self):
        if self.is_done("preprocess"):
            return
        from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess_dataset
        from nnunetv2.utilities.dataset_name_id_conversion import convert_dataset_name_to_id

        self.stage("preprocess")
        preprocess_dataset(convert_dataset_name_to_id(self.dataset), PLANS, (CONFIGURATION,),
                           [self.options.processes], show_progress_bar=False)
        self.set_done("preprocess")

    def trained_folder(self):
        return self.path("trained", self.dataset, f"{TRAINER}__{PLANS}__{CONFIGURATION}")

    def train(self):
        import numpy as np
        import torch
        from nnunetv2.run.run_training import get_trainer_from_args, maybe_load_checkpoint

        if os.path.exists(os.path.join(self.trained_folder(), "fold_0", "checkpoint_final.pth")):
            return
        self.stage("train")
        # With no worker, everything random is drawn in this process, from seeds of ours.
        workers = self.request["workers"]
        if workers is not None:
            os.environ["nnUNet_n_proc_DA"] = str(workers)
        elif self.device.type == "cpu":
            os.environ["nnUNet_n_proc_DA"] = "0"
        else:
            del os.environ["nnUNet_n_proc_DA"]
        seed = self.request["seed"]
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        fold = os.path.join(self.trained_folder(), "fold_0")
        goes_on = any(os.path.exists(os.path.join(fold, f"checkpoint_{name}.pth")) for name in ("latest", "best"))
        trainer = get_trainer_from_args(self.dataset, CONFIGURATION, 0, TRAINER, PLANS, goes_on, self.device)
        maybe_load_checkpoint(trainer, goes_on, False)
        trainer.run_training()
        os.environ["nnUNet_n_proc_DA"] = "1"

    def predictor(self):
        from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

        class TimedPredictor(nnUNetPredictor):
            """Its own predictor, with the seconds from preprocessed images to class scores."""

            seconds = 0.0

            def predict_logits_from_preprocessed_data(self, data):
                started = time.monotonic()
                # On the CPU when it returns, so that a GPU is through with it.
                logits = super().predict_logits_from_preprocessed_data(data)
                self.seconds += time.monotonic() - started
                return logits

        predictor = TimedPredictor(device=self.device, allow_tqdm=False)
        predictor.initialize_from_trained_model_folder(self.trained_folder(), (0,), "checkpoint_final.pth")
        return predictor

    def predict(self):
        self.stage("validate")
        predictor = self.predictor()
        with open(self.path("raw", self.dataset, "splits_final.json"), encoding="utf-8") as file:
            validation = json.load(file)[0]["val"]
        labels = self.path("raw", self.dataset, "labelsTr")
        before, after = self.choose_postprocessing(predictor, validation, labels)
        helps = after is not None and before is not None and after > before
        self.stage("predict")
        source = self.path("raw", self.dataset, "imagesTs")
        held_out = sorted(name[: -len("_0000.png")] for name in os.listdir(source) if name.endswith("_0000.png"))
        predictor.seconds = 0.0
        started = time.monotonic()
        folder = self.predict_cases(predictor, "predictions.partial", source, held_out)
        if helps:
            keep_largest(predictor, folder, folder, held_out)
        seconds = time.monotonic() - started
        target = self.path("predictions")
        remove_tree(target)
        os.rename(folder, target)
        self.event("predictions", cases=len(held_out), seconds=seconds, network_seconds=predictor.seconds,
                   postprocessing=helps,
                   validation_dice=before, validation_dice_postprocessed=after)

    def predict_cases(self, predictor, name, source, cases):
        folder = self.path(name)
        remove_tree(folder)
        os.makedirs(folder)
        predictor.predict_from_files_sequential(
            [[os.path.join(source, f"{case}_0000.png")] for case in cases],
            [os.path.join(folder, case) for case in cases])
        return folder

    def choose_postprocessing(self, predictor, cases, labels):
        """Mean Dice of the validation images as predicted, and with all but the largest component removed.

        nnU-Net's rule: removal is kept where the mean over images, those with both masks empty left out, is higher.
        """
        plain = self.predict_cases(predictor, "validation", self.path("raw", self.dataset, "imagesTr"), cases)
        largest = self.path("validation-largest")
        remove_tree(largest)
        os.makedirs(largest)
        keep_largest(predictor, plain, largest, cases)
        return mean_dice(predictor, labels, plain, cases), mean_dice(predictor, labels, largest, cases)


def keep_largest(predictor, source, target, cases):
    from nnunetv2.postprocessing.remove_connected_components import (
        load_postprocess_save, remove_all_but_largest_component_from_segmentation)

    io = predictor.plans_manager.image_reader_writer_class()
    for case in cases:
        load_postprocess_save(
            os.path.join(source, case + ".png"), os.path.join(target, case + ".png"), io,
            [remove_all_but_largest_component_from_segmentation],
            [{"labels_or_regions": predictor.label_manager.foreground_labels}])


def mean_dice(predictor, reference, predicted, cases):
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics

    io = predictor.plans_manager.image_reader_writer_class()
    scores = [
        float(compute_metrics(os.path.join(reference, case + ".png"), os.path.join(predicted, case + ".png"), io, [1])
              ["metrics"][1]["Dice"]) for case in cases]
    scores = [score for score in scores if not math.isnan(score)]
    return sum(scores) / len(scores) if scores else None


def remove_tree(path):
    import shutil

    if os.path.isdir(path):
        shutil.rmtree(path)


def training_bytes(plan, channels, device):
    """Bytes of a training step: what does not depend on the batch, and what one image more takes.

    What autograd keeps for the backward pass is counted on PyTorch's device `meta`, which has shapes and no memory. Weights are held
    three times (values, gradients, momentum); going back, the gradient of the largest activation and of its input live beside what is
    kept, in the two layouts of the convolution's library. With CUDA, activations are of two bytes, not four.
    """
    import torch
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

    architecture = plan["architecture"]
    with torch.device("meta"):
        network = get_network_from_plans(
            architecture["network_class_name"], architecture["arch_kwargs"], architecture["_kw_requires_import"],
            channels, 2, allow_init=False, deep_supervision=True)
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}

    def kept(batch):
        sizes = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage._cdata not in weights:
                sizes[storage._cdata] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            outputs = network(torch.empty((batch, channels, *plan["patch_size"]), device="meta"))
        # Cross-entropy and Dice keep the logits, their softmax, its logarithm and a target of 8 bytes.
        loss = sum(4 * output.untyped_storage().nbytes() for output in outputs)
        return sum(sizes.values()) + loss + 4 * max(sizes.values())

    one, two = kept(1), kept(2)
    sample = two - one
    weight_bytes = sum(parameter.untyped_storage().nbytes() for parameter in network.parameters())
    if device.type == "cuda":
        return 3 * weight_bytes + (512 << 20), sample // 2
    return PROCESS_BYTES + 3 * weight_bytes, sample


def take_signals():
    """A process inherits which signals are blocked, and threads of the host block all. Pools end their workers by SIGTERM and wait
    for ever where it is blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def live_as_long_as_standard_input():
    """Ends this process and all of its workers when the host closes the other end, or dies."""
    try:
        os.setsid()
    except OSError:
        pass

    def wait():
        while os.read(0, 4096):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()


def check():
    found = {"python": sys.version.split()[0]}
    for name in ("nnunetv2", "torch"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    print(json.dumps(found))


def train(options):
    run = Run(options)
    run.prepare()
    try:
        if metadata.version("nnunetv2") != VERSION:
            raise Refusal("version", found=metadata.version("nnunetv2"))
        run.choose_device()
        plan = run.plan()
        run.require_memory(plan)
        run.preprocess()
        run.train()
        run.predict()
        run.event("done")
    except Refusal as refusal:
        run.event("refusal", kind=refusal.kind, **refusal.facts)
        return 4
    except ArithmeticError as error:
        traceback.print_exc()
        run.event("failure", reason=str(error))
        return 1
    except Exception as error:
        traceback.print_exc()
        run.event("failure", reason=f"{type(error).__name__}: {error}"[:500])
        return 5
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["check", "train"])
    parser.add_argument("--folder")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--available-bytes", type=int)
    parser.add_argument("--assume-bytes", action="store_true", help="take --available-bytes for a GPU as well")
    parser.add_argument("--follow-stdin", action="store_true")
    options = parser.parse_args()
    take_signals()
    if options.mode == "check":
        check()
        return 0
    if options.follow_stdin:
        live_as_long_as_standard_input()
    return train(options)


if __name__ == "__main__":
    sys.exit(main())
