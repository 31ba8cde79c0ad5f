import argparse
import os
import tempfile
from PIL import Image
from dataset import LungDataset

root = tempfile.mkdtemp()
for sub in ("images", "masks"):
    os.makedirs(os.path.join(root, sub))
    Image.new("L", (8, 8)).save(os.path.join(root, sub, "1.png"))

parser = argparse.ArgumentParser()
parser.add_argument("--data", default=root)
args = parser.parse_args()
print(len(LungDataset(args.data)))
