import pandas as pd
from report import add_result

table = pd.DataFrame(columns=["image", "dice"])
for name, dice in [("a.png", 0.8), ("b.png", 0.7)]:
    table = add_result(table, name, dice)
print(table)
