import os
import tempfile
from openpyxl import Workbook
from report import write_table

workbook = Workbook()
write_table(workbook.active, ["image", "dice"], [["a.png", 0.8], ["b.png", 0.9]])
workbook.save(os.path.join(tempfile.mkdtemp(), "metrics.xlsx"))
