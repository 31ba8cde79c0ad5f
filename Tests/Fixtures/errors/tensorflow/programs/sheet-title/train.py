import os
import pandas as pd


def save_history(history, out_dir):
    frame = pd.DataFrame(history)
    frame.insert(0, "epoch", range(1, len(frame) + 1))
    path = os.path.join(out_dir, "loss.xlsx")
    frame.to_excel(path, sheet_name="Train/Val loss", index=False)
    print("wrote", path)
