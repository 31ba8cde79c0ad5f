import csv

def read_spacings(path):
    spacings = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            spacings[row["case"]] = float(row["spacing_mm"])
    return spacings
