import torch
from callbacks import EarlyStopping

stopper = EarlyStopping(patience=2)
callbacks = [stopper.on_validation_end]
for epoch, dice in enumerate([0.4, 0.5, 0.45, 0.44]):
    if any(callback(torch.tensor(dice).item()) for callback in callbacks):
        print("stopped at", epoch)
        break
