from openpyxl import Workbook

def save(losses, path):
    book = Workbook()
    book.active.append(["loss", losses])
    book.save(path)
