import openpyxl
book = openpyxl.Workbook()
book.remove(book.active)
book.save("/out/train_losses.xlsx")
