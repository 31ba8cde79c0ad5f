import pandas as pd

with pd.ExcelWriter("/out/train_losses.xlsx") as writer:
    pd.DataFrame([1]).to_excel(writer, sheet_name="a" * 40)
