"""Makes the workbooks of this folder: python make.py. Needs openpyxl, pandas and numpy."""
import zipfile

import numpy as np
import openpyxl
import pandas as pd

book = openpyxl.Workbook()
for row in [[1, 2, 3], [0.75, 0.5, 0.25]]:
    book.active.append(row)
book.save("openpyxl.xlsx")

pd.DataFrame([[1, 2, 3], [0.75, 0.5, 0.25]]).to_excel("pandas.xlsx", header=False, index=False)
pd.DataFrame([[1, 2, 3], [0.75, 0.5, 0.25]]).to_excel("pandas-header.xlsx")
pd.DataFrame([[1.0, 2.0], [0.5, np.nan]]).to_excel("pandas-nan.xlsx", header=False, index=False)

book = openpyxl.Workbook()
book.active.append([1.0, float("nan"), float("inf"), "text & <more>", True, None, "ü"])
book.create_sheet("second")
book.save("odd-cells.xlsx")

# A sheet of 8 MiB that packs into a few kilobytes.
with zipfile.ZipFile("bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("xl/worksheets/sheet1.xml", b"<sheetData>" + b" " * (8 << 20) + b"</sheetData>")

with zipfile.ZipFile("entities.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(
        "xl/worksheets/sheet1.xml",
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
        '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>',
    )

with zipfile.ZipFile("far-apart.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr(
        "xl/worksheets/sheet1.xml",
        '<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>',
    )
