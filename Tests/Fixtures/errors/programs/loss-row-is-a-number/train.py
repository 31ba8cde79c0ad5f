from openpyxl import Workbook

def write_losses(history, path):
    book = Workbook()
    sheet = book.active
    sheet.title = "loss"
    sheet.append(["train_loss"])
    for value in history["train_loss"]:
        sheet.append(value)
    book.save(path)
