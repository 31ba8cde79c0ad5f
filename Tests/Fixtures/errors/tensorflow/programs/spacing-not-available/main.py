import os, tempfile
from dataset import read_spacings

path = os.path.join(tempfile.mkdtemp(), "cases.csv")
with open(path, "w") as f:
    f.write("case,spacing_mm\n001,0.5\n002,n/a\n003,0.7\n")
print(sum(read_spacings(path).values()))
