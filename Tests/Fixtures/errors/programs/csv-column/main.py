import os
import tempfile
import pandas as pd
from torch.utils.data import DataLoader
from dataset import CsvDataset

path = os.path.join(tempfile.mkdtemp(), "train.csv")
with open(path, "w") as f:
    f.write("image_id,image,mask\n1,a.png,a_m.png\n2,b.png,b_m.png\n")
for batch in DataLoader(CsvDataset(path), batch_size=2):
    print(batch)
