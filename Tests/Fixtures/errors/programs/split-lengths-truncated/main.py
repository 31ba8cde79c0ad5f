import argparse
from dataset import make_splits

parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, default=30)
args = parser.parse_args()
train, val, test = make_splits(args.count)
print(len(train), len(val), len(test))
