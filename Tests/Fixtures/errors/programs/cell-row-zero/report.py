def write_table(sheet, header, rows):
    for r, row in enumerate([header] + rows):
        for c, value in enumerate(row):
            sheet.cell(row=r, column=c, value=value)
