def number(path):
    return int(path.split("_")[-1].split(".")[0])
