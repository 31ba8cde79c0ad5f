import os
import tempfile
import pandas as pd


class CSVLogger:
    def __init__(self, out):
        self.path = os.path.join(out, "reports", "history.csv")
        self.rows = []

    def on_epoch_end(self, epoch, logs):
        self.rows.append({"epoch": epoch, **logs})
        pd.DataFrame(self.rows).to_csv(self.path, index=False)


callbacks = [CSVLogger(tempfile.mkdtemp())]
for epoch in range(2):
    for callback in callbacks:
        callback.on_epoch_end(epoch, {"loss": 1.0 / (epoch + 1), "dice": 0.4})
