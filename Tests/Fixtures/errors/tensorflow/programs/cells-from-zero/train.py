from openpyxl import Workbook

def write_history(history, path):
    book = Workbook()
    sheet = book.active
    for column, (name, values) in enumerate(history.items()):
        sheet.cell(row=1, column=column, value=name)
        for row, value in enumerate(values):
            sheet.cell(row=row + 2, column=column, value=float(value))
    book.save(path)
