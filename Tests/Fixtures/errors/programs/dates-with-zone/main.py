import os
import tempfile
from datetime import datetime, timezone
import pandas as pd

out = tempfile.mkdtemp()
rows = [{"epoch": e, "dice": 0.5 + 0.1 * e, "finished": datetime.now(timezone.utc)} for e in range(3)]
table = pd.DataFrame(rows)
with pd.ExcelWriter(os.path.join(out, "results.xlsx"), engine="openpyxl") as writer:
    pd.DataFrame({"parameter": ["lr"], "value": [1e-3]}).to_excel(writer, sheet_name="config", index=False)
    table.to_excel(writer, sheet_name="history", index=False)
print(os.listdir(out))
