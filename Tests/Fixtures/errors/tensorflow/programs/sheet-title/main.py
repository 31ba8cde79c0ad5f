import tempfile
from train import save_history

history = {"loss": [0.69, 0.55, 0.41], "val_loss": [0.70, 0.60, 0.52], "val_dice": [0.1, 0.3, 0.5]}
save_history(history, tempfile.mkdtemp())
