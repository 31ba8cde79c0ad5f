import argparse
from model import build_unet

parser = argparse.ArgumentParser()
parser.add_argument("--size", type=int, default=32)
args = parser.parse_args()
model = build_unet(args.size)
model.summary()
