import os
import tempfile
import pandas as pd

results = pd.DataFrame({
    "split": ["train", "train", "val", "val"],
    "dice": [0.8, 0.9, 0.7, 0.75],
    "iou": [0.7, 0.8, 0.6, 0.65],
})
summary = results.groupby("split").agg({"dice": ["mean", "std"], "iou": ["mean", "std"]}).reset_index()
print(summary)
summary.to_excel(os.path.join(tempfile.mkdtemp(), "summary.xlsx"), index=False)
