"""Writes FOLDER/types.safetensors, one tensor of every element type that PyTorch and safetensors share and the runtime reads, and
FOLDER/floats.safetensors, the same tensors as float32; FOLDER/small.safetensors has a type that is not read.

    python safetensors_reference.py FOLDER SEED
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file

folder, seed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
torch.manual_seed(seed)
tensors = {}
for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
    # All exponents that a half has, subnormal ones and infinities too.
    values = torch.randn(5, 40, dtype=torch.float64) * 2.0 ** torch.randint(-27, 17, (5, 40)).double()
    values[0, :4] = torch.tensor([0.0, -0.0, float("inf"), float("-inf")], dtype=torch.float64)
    tensors[str(dtype)] = values.to(dtype)
for dtype in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint64, torch.uint32, torch.uint16, torch.uint8):
    info = torch.iinfo(dtype)
    values = [info.min, info.max, 0, 1] + torch.randint(max(info.min, -2**62), min(info.max, 2**62), (20,)).tolist()
    tensors[str(dtype)] = torch.tensor(values, dtype=dtype)
tensors["bool"] = torch.tensor([[True, False], [False, True]])
save_file(tensors, str(folder / "types.safetensors"), metadata={"caf\u00e9 \u2603 \U0001f600": "a \"quoted\" \\ line\n"})
save_file({k: v.to(torch.float32).contiguous() for k, v in tensors.items()}, str(folder / "floats.safetensors"))
save_file({"tiny": torch.ones(3).to(torch.float8_e4m3fn)}, str(folder / "small.safetensors"))
