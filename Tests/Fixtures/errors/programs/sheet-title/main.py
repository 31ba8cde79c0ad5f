from openpyxl import Workbook

book = Workbook()
book.create_sheet("train/val")
