"""The other side of `llmbench bench --against pytorch`: does the same work in PyTorch, told to by lines on standard input.

One JSON object a line on standard output answers each command. Tensors travel as safetensors files, so that both sides compute
with the same weights and the same batch.

  load DIR           reads weights.safetensors and batch.safetensors; parameters are matched in the order of the network
  check DIR          one forward and backward pass; writes theirs.safetensors with the loss and every gradient
  step COUNT         COUNT training steps: forward, backward, Adam
  infer-check DIR    probabilities in evaluation mode, written to theirs.safetensors
  infer COUNT        COUNT predictions
  memory             bytes resident at most (VmHWM), and the same right after the imports
  conv-check DIR     reads conv.safetensors (x, w, dy), writes y, dx, dw; the geometry is its metadata
  conv COUNT         COUNT forward passes, input gradients and weight gradients of that convolution
"""

import argparse
import json
import sys
import time

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional


class DoubleConvolution(nn.Sequential):
    def __init__(self, channels_in, channels_out, axes):
        convolution, norm = (nn.Conv2d, nn.BatchNorm2d) if axes == 2 else (nn.Conv3d, nn.BatchNorm3d)
        super().__init__(
            convolution(channels_in, channels_out, 3, padding=1, bias=False),
            norm(channels_out),
            nn.ReLU(inplace=True),
            convolution(channels_out, channels_out, 3, padding=1, bias=False),
            norm(channels_out),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """Ronneberger et al. 2015 with padding and batch normalization: four poolings, transposed convolutions, one output."""

    def __init__(self, base, axes=2, levels=4):
        super().__init__()
        widths = [base << level for level in range(levels + 1)]
        self.encoders = nn.ModuleList(
            DoubleConvolution(1 if level == 0 else widths[level - 1], widths[level], axes)
            for level in range(levels + 1)
        )
        self.pool = nn.MaxPool2d(2) if axes == 2 else nn.MaxPool3d(2)
        up = nn.ConvTranspose2d if axes == 2 else nn.ConvTranspose3d
        self.decoders = nn.ModuleList()
        for level in reversed(range(levels)):
            self.decoders.append(up(widths[level + 1], widths[level], 2, stride=2))
            self.decoders.append(DoubleConvolution(2 * widths[level], widths[level], axes))
        self.head = (nn.Conv2d if axes == 2 else nn.Conv3d)(base, 1, 1)

    def forward(self, x):
        skips = []
        for level, encoder in enumerate(self.encoders):
            x = encoder(x)
            if level < len(self.encoders) - 1:
                skips.append(x)
                x = self.pool(x)
        for up, block in zip(self.decoders[::2], self.decoders[1::2]):
            x = block(torch.cat([up(x), skips.pop()], dim=1))
        return self.head(x)


class Stage(nn.Sequential):
    def __init__(self, channels_in, channels_out, stride):
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1),
            nn.InstanceNorm2d(channels_out, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1),
            nn.InstanceNorm2d(channels_out, affine=True),
            nn.LeakyReLU(0.01, inplace=True),
        )


class NNUNet(nn.Module):
    """nnU-Net's plain 2-D network (Isensee et al. 2021): halved by strides down to 4x4, one head a resolution but the lowest."""

    def __init__(self, size, classes=2):
        super().__init__()
        stages = (size // 4).bit_length()
        widths = [min(32 << stage, 512) for stage in range(stages)]
        self.encoders = nn.ModuleList(
            Stage(1 if stage == 0 else widths[stage - 1], widths[stage], 1 if stage == 0 else 2)
            for stage in range(stages)
        )
        self.decoders = nn.ModuleList()
        for stage in reversed(range(stages - 1)):
            parts = [nn.ConvTranspose2d(widths[stage + 1], widths[stage], 2, stride=2), Stage(2 * widths[stage], widths[stage], 1)]
            if stage < stages - 2:
                parts.append(nn.Conv2d(widths[stage], classes, 1))
            self.decoders.append(nn.ModuleList(parts))

    def forward(self, x):
        skips = []
        for encoder in self.encoders:
            x = encoder(x)
            skips.append(x)
        skips.pop()
        outputs = []
        for parts in self.decoders:
            x = parts[1](torch.cat([parts[0](x), skips.pop()], dim=1))
            if len(parts) > 2:
                outputs.append(parts[2](x))
        return outputs[::-1]


def resident():
    """Bytes that were resident at most so far."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


class Bench:
    def __init__(self, options):
        self.layout = options.layout
        self.network = options.network
        last = torch.channels_last_3d if options.network == "unet3d" else torch.channels_last
        self.format = last if options.layout == "channels-last" else torch.contiguous_format
        self.base = options.base
        self.size = options.size
        self.start = resident()

    def memory(self, _):
        return {"peak": resident(), "start": self.start}

    def build(self):
        if self.network == "nnunet":
            return NNUNet(self.size)
        return UNet(self.base, 3 if self.network == "unet3d" else 2)

    def load(self, folder):
        path = f"{folder}/weights.safetensors"
        weights = load_file(path)
        with safe_open(path, "pt") as file:
            order = json.loads(file.metadata()["order"])
        batch = load_file(f"{folder}/batch.safetensors")
        self.model = self.build()
        self.names = {}
        mine = list(self.model.named_parameters())
        if len(mine) != len(order):
            raise ValueError(f"{len(order)} parameters for a network of {len(mine)}")
        with torch.no_grad():
            for (name, parameter), theirs in zip(mine, order):
                if parameter.shape != weights[theirs].shape:
                    raise ValueError(f"{theirs} {list(weights[theirs].shape)} is not {name} {list(parameter.shape)}")
                parameter.copy_(weights[theirs])
                self.names[name] = theirs
        self.model = self.model.to(memory_format=self.format)
        self.image = batch["image"].to(memory_format=self.format)
        if self.network == "nnunet":
            masks = [batch[f"mask{level}"].long() for level in range(len(batch) - 1)]
            weights = [0.5**level for level in range(len(masks))]
            self.loss = lambda outputs, _: sum(
                weight / sum(weights) * functional.cross_entropy(output, mask)
                for weight, output, mask in zip(weights, outputs, masks)
            )
            self.mask = None
            self.optimizer = torch.optim.SGD(
                self.model.parameters(), lr=1e-2, momentum=0.99, nesterov=True, weight_decay=3e-5
            )
        else:
            self.mask = batch["mask"]
            self.loss = nn.BCEWithLogitsLoss()
            self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        return {"parameters": sum(parameter.numel() for parameter in self.model.parameters())}

    def check(self, folder):
        state = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.image), self.mask)
        loss.backward()
        tensors = {self.names[name]: p.grad.contiguous() for name, p in self.model.named_parameters()}
        tensors["loss"] = loss.detach().reshape(())
        save_file(tensors, f"{folder}/theirs.safetensors")
        self.model.load_state_dict(state)
        return {"loss": loss.item()}

    def step(self, count):
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(int(count)):
            self.optimizer.zero_grad()
            loss = self.loss(self.model(self.image), self.mask)
            loss.backward()
            self.optimizer.step()
        value = loss.item()
        return {
            "seconds": (time.perf_counter() - start) / int(count),
            "cpu": (time.process_time() - processor) / int(count),
            "loss": value,
        }

    @torch.no_grad()
    def predict(self):
        self.model.eval()
        output = self.model(self.image)
        return torch.softmax(output[0], 1)[:, 1:] if self.network == "nnunet" else torch.sigmoid(output)

    def infer_check(self, folder):
        save_file({"probability": self.predict().contiguous()}, f"{folder}/theirs.safetensors")
        return {}

    def infer(self, count):
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(int(count)):
            self.predict()
        return {
            "seconds": (time.perf_counter() - start) / int(count),
            "cpu": (time.process_time() - processor) / int(count),
        }

    def conv_check(self, folder):
        path = f"{folder}/conv.safetensors"
        tensors = load_file(path)
        with safe_open(path, "pt") as file:
            shape = json.loads(file.metadata()["shape"])
        operation = functional.conv_transpose2d if shape["transposed"] else functional.conv2d
        arguments = {"stride": shape["stride"], "padding": shape["padding"]}
        self.x = tensors["x"].to(memory_format=self.format).requires_grad_()
        self.w = tensors["w"].to(memory_format=self.format).requires_grad_()
        self.dy = tensors["dy"].to(memory_format=self.format)
        self.convolution = lambda: operation(self.x, self.w, **arguments)
        y = self.convolution()
        y.backward(self.dy)
        save_file(
            {"y": y.detach().contiguous(), "dx": self.x.grad.contiguous(), "dw": self.w.grad.contiguous()},
            f"{folder}/theirs.safetensors",
        )
        return {}

    def conv(self, count):
        start = time.perf_counter()
        for _ in range(int(count)):
            self.x.grad = self.w.grad = None
            self.convolution().backward(self.dy)
        return {"seconds": (time.perf_counter() - start) / int(count)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", choices=["unet", "unet3d", "nnunet"], default="unet")
    parser.add_argument("--base", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=["contiguous", "channels-last"], default="contiguous")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bench = Bench(options)
    print(json.dumps({"version": torch.__version__}), flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        try:
            answer = getattr(bench, command.replace("-", "_"))(argument)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
