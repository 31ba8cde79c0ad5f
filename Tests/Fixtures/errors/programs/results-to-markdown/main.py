import pandas as pd

rows = [
    {"image": "case_001.png", "dice": 0.91, "iou": 0.84},
    {"image": "case_002.png", "dice": 0.87, "iou": 0.77},
]
table = pd.DataFrame(rows)
print("Mean Dice:", table["dice"].mean())
print(table.to_markdown(index=False))
