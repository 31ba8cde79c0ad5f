import argparse
import torch
from model import build_model

parser = argparse.ArgumentParser()
parser.add_argument("--out", default="/tmp/model.onnx")
args = parser.parse_args()

model = build_model()
model.eval()
example = torch.randn(1, 3, 32, 32)
print("parameters:", sum(p.numel() for p in model.parameters()))
torch.onnx.export(model, (example,), args.out, input_names=["image"], output_names=["mask"])
print("exported to", args.out)
