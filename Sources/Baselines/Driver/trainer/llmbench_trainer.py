"""The trainer class of a baseline: nnU-Net's own, with a fixed budget.

nnU-Net 2.8.1 finds it by its name in the folder that the variable `nnUNet_extTrainer` names. What is trained, on what and how is left
as it is. Changed are the length of the training, the seeds, how often a checkpoint is written, and that epochs are reported as
JSON lines.
"""

import json
import math
import os
import random
import time

import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

# The schedule of a training that is limited by time: its rate falls as it would over so many epochs.
EPOCHS_BY_TIME = 1000


class BudgetSpent(Exception):
    """The wall time is used up; the epoch that is over was the last."""


class LLMBenchTrainer(nnUNetTrainer):
    def __init__(self, plans: dict, configuration: str, fold: int, dataset_json: dict,
                 device: torch.device = torch.device("cuda")):
        super().__init__(plans, configuration, fold, dataset_json, device)
        with open(os.environ["LLMBENCH_NNUNET_REQUEST"], encoding="utf-8") as file:
            request = json.load(file)
        self.seed = request["seed"]
        self.wall_seconds = request["wall_seconds"]
        self.num_epochs = request["epochs"] or EPOCHS_BY_TIME
        self.num_iterations_per_epoch = request["iterations"]
        self.num_val_iterations_per_epoch = request["validation_iterations"]
        self.checkpoint_seconds = request["checkpoint_seconds"]
        self.folder = request["folder"]
        self.iteration = 0
        self.last_checkpoint = self.last_progress = time.monotonic()
        # A picture of 30 by 54 inches an epoch takes longer than a short epoch; its numbers are in the lines.
        self.logger.plot_progress_png = lambda folder: None

    # Budget

    def run_training(self):
        try:
            super().run_training()
        except BudgetSpent:
            self.on_train_end()

    def seconds_spent(self) -> float:
        """Of the epochs that are over, those before an interruption included: their times are in the checkpoint."""
        starts = self.logger.get_value("epoch_start_timestamps", step=None)
        ends = self.logger.get_value("epoch_end_timestamps", step=None)
        return sum(end - start for start, end in zip(starts, ends))

    def on_epoch_start(self):
        if self.wall_seconds is not None and self.current_epoch > 0 and self.seconds_spent() >= self.wall_seconds:
            raise BudgetSpent
        # Seeds of its own for every epoch: a training that goes on after an interruption draws what it would have drawn.
        drawn = [int(value) for value in np.random.SeedSequence([self.seed, self.current_epoch]).generate_state(3)]
        random.seed(drawn[0])
        np.random.seed(drawn[1])
        torch.manual_seed(drawn[2])
        self.iteration = 0
        super().on_epoch_start()

    def on_train_epoch_start(self):
        super().on_train_epoch_start()
        if self.wall_seconds is not None:
            share = min(self.seconds_spent() / self.wall_seconds, 1 - 1 / EPOCHS_BY_TIME)
            self.lr_scheduler.step(share * self.num_epochs)

    # Reports

    def train_step(self, batch: dict) -> dict:
        result = super().train_step(batch)
        self.iteration += 1
        now = time.monotonic()
        if now - self.last_progress >= 0.5:
            self.last_progress = now
            self.report_progress(float(result["loss"]))
        return result

    def report_progress(self, loss: float):
        share = None if self.wall_seconds is None else min(1.0, self.seconds_spent() / self.wall_seconds)
        record = {
            "epoch": self.current_epoch + 1, "epochs": None if self.wall_seconds is not None else self.num_epochs,
            "iteration": self.iteration, "iterations": self.num_iterations_per_epoch, "loss": finite(loss),
            "share": share,
        }
        path = os.path.join(self.folder, "progress.json")
        with open(path + ".partial", "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(path + ".partial", path)

    def on_epoch_end(self):
        loss = float(self.logger.get_value("train_losses", step=-1))
        if not math.isfinite(loss):
            raise ArithmeticError(f"the training loss of epoch {self.current_epoch + 1} is not finite")
        started = self.logger.get_value("epoch_start_timestamps", step=-1)
        append_event(self.folder, {
            "event": "epoch", "epoch": self.current_epoch + 1, "train_loss": loss,
            "validation_loss": finite(self.logger.get_value("val_losses", step=-1)),
            "pseudo_dice": finite(self.logger.get_value("mean_fg_dice", step=-1)),
            "learning_rate": finite(self.optimizer.param_groups[0]["lr"]), "seconds": time.time() - started,
        })
        now = time.monotonic()
        is_due = now - self.last_checkpoint >= self.checkpoint_seconds
        self.save_every = 1 if is_due else self.num_epochs + 1
        if is_due:
            self.last_checkpoint = now
        super().on_epoch_end()

    # Files

    def save_checkpoint(self, filename: str) -> None:
        """Whole or not at all: a process that is killed while it writes leaves the checkpoint before."""
        partial = filename + ".partial"
        super().save_checkpoint(partial)
        if os.path.exists(partial):
            os.replace(partial, filename)

    def plot_network_architecture(self):
        pass


def finite(value):
    value = float(value)
    return value if math.isfinite(value) else None


def append_event(folder: str, record: dict):
    with open(os.path.join(folder, "events.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(record, allow_nan=False) + "\n")
