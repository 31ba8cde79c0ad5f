import os
import tempfile
from openpyxl import Workbook
from openpyxl.styles import Font
from styles import header_fill

workbook = Workbook()
sheet = workbook.active
sheet.append(["Image", "Dice", "IoU"])
for cell in sheet[1]:
    cell.font = Font(bold=True)
    cell.fill = header_fill()
workbook.save(os.path.join(tempfile.mkdtemp(), "report.xlsx"))
