from openpyxl import Workbook

book = Workbook()
book.active["A1"] = "a\x07b"
