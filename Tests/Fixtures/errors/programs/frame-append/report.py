def add_result(table, name, dice):
    return table.append({"image": name, "dice": dice}, ignore_index=True)
