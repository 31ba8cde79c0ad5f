import argparse
from model import create_model

parser = argparse.ArgumentParser()
parser.add_argument("--model", default="unetpp")
args = parser.parse_args()
model = create_model(args.model)
print(model)
