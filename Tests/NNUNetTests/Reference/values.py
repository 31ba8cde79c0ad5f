"""What nnunetv2 and batchgeneratorsv2 compute, for comparison.

    python values.py OUT.safetensors [live]

Inputs and weights come from a hash of their indices (`HashedValues.swift` makes the same ones); `live` adds networks with
nnunetv2's own initial weights, which the file then holds. values.safetensors beside it is the output for nnunetv2 2.8.1
without `live`.
"""
import json
import os
import sys
import tempfile
from copy import deepcopy
from functools import partial
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
SCRATCH = tempfile.TemporaryDirectory()
for kind in ("raw", "preprocessed", "results"):
    os.environ[f"nnUNet_{kind}"] = f"{SCRATCH.name}/{kind}"

import numpy as np
import torch
from plans import hashed, make, write_safetensors

from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from batchgeneratorsv2.transforms.intensity.contrast import ContrastTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform
from nnunetv2.inference import predict_from_raw_data
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.inference.sliding_window_prediction import compute_gaussian, compute_steps_for_sliding_window
from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from nnunetv2.training.data_augmentation.compute_initial_patch_size import get_patch_size
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

torch.set_num_threads(1)
PLANS = json.loads((HERE / "plans.json").read_text())["datasets"]
TINY = {
    "n_stages": 4, "features_per_stage": [8, 16, 24, 32], "kernel_sizes": [[3, 3], [1, 3], [3, 3], [3, 3]],
    "strides": [[1, 1], [2, 2], [1, 2], [2, 2]], "n_conv_per_stage": [2, 2, 2, 2],
    "n_conv_per_stage_decoder": [2, 2, 2],
}
TINY_PATCH = [24, 40]


def uniform(key, shape):
    """Numbers in 0 … 1 from a hash of their places."""
    return (hashed(key, np.arange(int(np.prod(shape)), dtype=np.uint64)) / 4294967296.0).reshape(shape)


def image(key, shape):
    return torch.from_numpy(((uniform(key, shape) - 0.5) * 4).astype(np.float32))


def labels(key, shape, classes):
    return torch.from_numpy(np.floor(uniform(key, shape) * classes).astype(np.int64))


def network(kwargs, channels, classes, supervised):
    plan = deepcopy(PLANS["small_square"]["plans"]["configurations"]["2d"]["architecture"])
    plan["arch_kwargs"].update(kwargs)
    return get_network_from_plans(
        plan["network_class_name"], plan["arch_kwargs"], plan["_kw_requires_import"], channels, classes,
        allow_init=True, deep_supervision=supervised)


def own_names(net):
    """Each parameter under one of its names."""
    return sorted(n for n, _ in net.named_parameters(remove_duplicate=False)
                  if "all_modules" not in n and not n.startswith("decoder.encoder"))


def set_weights(net):
    parameters = dict(net.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for key, name in enumerate(own_names(net)):
            parameter = parameters[name]
            u = uniform(key, tuple(parameter.shape)) - 0.5
            if parameter.ndim > 1:
                values = u * 2 * (6.0 / np.prod(parameter.shape[1:])) ** 0.5
            else:
                values = u * 0.2 + (1.0 if name.endswith("norm.weight") else 0.0)
            parameter.copy_(torch.from_numpy(values.astype(np.float32)))


def loss_function(weights):
    loss = DC_and_CE_loss(
        {"batch_dice": True, "smooth": 1e-5, "do_bg": False, "ddp": False}, {}, weight_ce=1, weight_dice=1,
        ignore_label=None, dice_class=MemoryEfficientSoftDiceLoss)
    weights = np.array(weights, dtype=float)
    return DeepSupervisionWrapper(loss, weights / weights.sum())


def head_scales(strides):
    return [list(i) for i in 1 / np.cumprod(np.vstack(strides), axis=0)][:-1]


def networks(out, meta):
    counts = {}
    for name, entry in PLANS.items():
        configuration = entry["plans"]["configurations"]["2d"]
        channels = len(configuration["normalization_schemes"])
        with torch.device("meta"):
            net = network(configuration["architecture"]["arch_kwargs"], channels, 3, True)
        counts[name] = sum(p.numel() for p in net.parameters())
    meta["parameters"] = json.dumps(counts)
    square = PLANS["small_square"]["plans"]["configurations"]["2d"]["architecture"]["arch_kwargs"]
    for name, kwargs, patch in [("tiny", TINY, TINY_PATCH), ("square", square, [32, 32])]:
        net = network(kwargs, 2, 3, True)
        set_weights(net)
        with torch.no_grad():
            outputs = net(image(1001, (2, 2, *patch)))
        for head, output in enumerate(outputs):
            out[f"{name}.head{head}"] = output


def losses(out):
    logits = [image(2000 + i, (3, 3, 16 >> i, 24 >> i)) * 2 for i in range(3)]
    targets = [labels(2100 + i, (3, 1, 16 >> i, 24 >> i), 3) for i in range(3)]
    for target in targets:
        target[0] = 0
    out["loss"] = loss_function([1, 0.5, 0])(logits, targets)
    out["loss.single"] = loss_function([1])(logits[:1], targets[:1])


def training(out):
    """Steps of the trainer's optimizer on one batch, with a learning rate that falls each step."""
    net = network(TINY, 2, 3, True)
    set_weights(net)
    loss = loss_function([1, 0.5, 0])
    optimizer = torch.optim.SGD(net.parameters(), 1e-2, weight_decay=3e-5, momentum=0.99, nesterov=True)
    scheduler = PolyLRScheduler(optimizer, 1e-2, 4)
    data, target = image(3000, (4, 2, *TINY_PATCH)), labels(3001, (4, 1, *TINY_PATCH), 3)
    targets = DownsampleSegForDSTransform(head_scales(TINY["strides"]))
    heads = [torch.stack(h) for h in zip(*[targets(segmentation=t)["segmentation"] for t in target])]
    values, norms = [], []
    for step in range(4):
        scheduler.step(step)
        optimizer.zero_grad(set_to_none=True)
        value = loss(net(data), heads)
        value.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), 12).item())
        optimizer.step()
        values.append(value.item())
    out["training.losses"] = torch.tensor(values)
    out["training.norms"] = torch.tensor(norms)
    out["training.weight"] = dict(net.named_parameters())["encoder.stages.0.0.convs.0.conv.weight"].detach()


def transforms(out):
    shape = (40, 36)
    y, x = np.meshgrid(*[np.arange(s) for s in shape], indexing="ij")
    seg = torch.from_numpy(((y // 5 + x // 4) % 4 - 1).astype(np.int16))[None]
    fresh = lambda: image(4000, (2, *shape))
    for number, (angle, scale) in enumerate([(0.3, 1.0), (0.0, 0.7), (-2.0, 1.3), (0.0, 1.0), (1.0, 1.4)]):
        transform = SpatialTransform(
            (32, 30), patch_center_dist_from_border=0, random_crop=False, p_elastic_deform=0,
            p_rotation=float(angle != 0), rotation=(angle, angle), p_scaling=float(scale != 1), scaling=(scale, scale),
            p_synchronize_scaling_across_axes=1, bg_style_seg_sampling=False, border_mode_seg="constant",
            padding_value_seg=-1)
        result = transform(image=fresh(), segmentation=seg.clone())
        out[f"spatial{number}.image"], out[f"spatial{number}.labels"] = result["image"], result["segmentation"].float()
    one = torch.tensor([1])
    blur = GaussianBlurTransform((0.5, 1), False, False, 0.5, benchmark=False)
    out["blur"] = blur._apply_to_image(
        fresh(), apply_to_channel=torch.tensor([True, True]), sigmas=[[0.6, 0.97], [0.51, 0.8]])
    out["brightness"] = MultiplicativeBrightnessTransform((0, 1), False)._apply_to_image(
        fresh(), apply_to_channel=one, multipliers=torch.tensor([0.8]))
    out["contrast"] = ContrastTransform((0, 1), True, False)._apply_to_image(
        fresh(), apply_to_channel=one, multipliers=torch.tensor([1.2]))
    for scale in (0.63, 0.5, 0.97):
        out[f"low{scale}"] = SimulateLowResolutionTransform((0.5, 1), False, True, None)._apply_to_image(
            fresh(), apply_to_channel=one, scales=torch.tensor([[scale, scale]]))
    for inverted in (False, True):
        out[f"gamma{int(inverted)}"] = GammaTransform((0, 1), 0, False, 1, 1)._apply_to_image(
            fresh(), apply_to_channel=one, retain_stats=torch.tensor([True]), invert_image=torch.tensor([inverted]),
            gamma=torch.tensor([1.37]))
    for number, axes in enumerate([[0], [1], [0, 1]]):
        mirror = MirrorTransform((0, 1))
        out[f"mirror{number}.image"] = mirror._apply_to_image(fresh(), axes=axes)
        out[f"mirror{number}.labels"] = mirror._apply_to_segmentation(seg, axes=axes).float()
    scales = DownsampleSegForDSTransform([[1, 1], [0.5, 0.5], [0.25, 1 / 3]])(segmentation=seg)["segmentation"]
    for number, scaled in enumerate(scales):
        out[f"downsampled{number}"] = scaled.float()


def geometry(out, meta):
    for height, width in [(24, 40), (8, 100), (32, 32)]:
        out[f"gaussian{height}x{width}"] = compute_gaussian(
            (height, width), sigma_scale=1 / 8, value_scaling_factor=10, dtype=torch.float32, device=torch.device("cpu"))
    images, tiles = [40, 41, 64, 100, 129, 250], [40, 24, 32]
    meta["steps"] = json.dumps([
        [i, t, compute_steps_for_sliding_window((i,), (t,), 0.5)[0]] for i in images for t in tiles])
    patches = [(128, 128), (96, 160), (320, 64), (40, 56), (256, 192)]
    sizes = []
    for patch in patches:
        angle = 15 / 360 * 2 * np.pi if max(patch) / min(patch) > 1.5 else np.pi
        sizes.append([patch, get_patch_size(patch, (-angle, angle), (-angle, angle), (-angle, angle), (0.85, 1.25)).tolist()])
    meta["initial_patches"] = json.dumps(sizes)


def resampling(out):
    plane = image(5000, (1, 1, 31, 23)).numpy()
    seg = labels(5001, (1, 1, 31, 23), 3).numpy().astype(np.int16) - 1
    for target in [(40, 40), (17, 30), (31, 12)]:
        name = f"{target[0]}x{target[1]}"
        spacings = [[999, 1, 1], [999, 31 / target[0], 23 / target[1]]]
        arguments = {"order_z": 0, "force_separate_z": None}
        for order in (1, 3):
            out[f"resampled{order}.{name}"] = torch.from_numpy(resample_data_or_seg_to_shape(
                plane, (1, *target), *spacings, is_seg=False, order=order, **arguments))
        out[f"resampled.labels.{name}"] = torch.from_numpy(resample_data_or_seg_to_shape(
            seg, (1, *target), *spacings, is_seg=True, order=1, **arguments).astype(np.float32))


class SinglePrecision:
    """Sums of class scores in 32 bits: in the 16 that nnunetv2 keeps them in, weights of corners have a bit or two."""

    def __enter__(self):
        self.half, self.gaussian = torch.half, predict_from_raw_data.compute_gaussian
        torch.half = torch.float32
        predict_from_raw_data.compute_gaussian = partial(compute_gaussian, dtype=torch.float32)

    def __exit__(self, *_):
        torch.half, predict_from_raw_data.compute_gaussian = self.half, self.gaussian


def prediction(out):
    """An image with an empty margin, two channels and a spacing of its own, from the raw numbers to the mask."""
    entry = deepcopy(PLANS["mixed_spacing"]["plans"])
    configuration = entry["configurations"]["2d"]
    configuration["patch_size"] = TINY_PATCH
    configuration["architecture"]["arch_kwargs"].update(TINY)
    configuration["normalization_schemes"] = ["CTNormalization", "ZScoreNormalization"]
    configuration["use_mask_for_norm"] = [False, True]
    dataset = {"channel_names": {"0": "CT", "1": "MRI"}, "labels": {"background": 0, "a": 1, "b": 2},
               "file_ending": ".nrrd", "numTraining": 1}
    manager = PlansManager(entry)
    net = network(TINY, 2, 3, False)
    set_weights(net)
    predictor = nnUNetPredictor(
        tile_step_size=0.5, use_gaussian=True, use_mirroring=True, perform_everything_on_device=False,
        device=torch.device("cpu"), verbose=False, allow_tqdm=False)
    predictor.manual_initialization(
        net, manager, manager.get_configuration("2d"), None, dataset, "nnUNetTrainer", (0, 1))
    for number, (height, width, spacing) in enumerate([(70, 90, [0.6, 0.85]), (20, 36, list(configuration["spacing"]))]):
        spec = {"shape": [1, height, width], "jitter": [0, 0, 0], "range": [-300, 900], "channels": ["CT", "MRI"],
                "margin": 12, "classes": 2}
        data, seg = make(spec, 7 + number)
        properties = {"spacing": [999 * max(spacing), *spacing]}
        prepared, prepared_seg, properties = DefaultPreprocessor(verbose=False).run_case_npy(
            data.astype(np.float32), seg[None].astype(np.int16), properties, manager, manager.get_configuration("2d"),
            dataset)
        with SinglePrecision():
            out[f"logits{number}"] = predictor.predict_sliding_window_return_logits(torch.from_numpy(prepared))
        logits = predictor.predict_sliding_window_return_logits(torch.from_numpy(prepared))
        mask = convert_predicted_logits_to_segmentation_with_correct_shape(
            logits, manager, manager.get_configuration("2d"), manager.get_label_manager(dataset), properties)
        out[f"prepared{number}"] = torch.from_numpy(prepared)
        out[f"prepared{number}.labels"] = torch.from_numpy(prepared_seg.astype(np.float32))
        out[f"mask{number}"] = torch.from_numpy(mask.astype(np.float32))


def components(out):
    mask = labels(6000, (1, 24, 24), 3).numpy().astype(np.uint8)
    mask[uniform(6001, (1, 24, 24)) < 0.35] = 0
    for name, wanted in [("all", [1, 2]), ("two", 2)]:
        out[f"components.{name}"] = torch.from_numpy(
            remove_all_but_largest_component_from_segmentation(mask, wanted).astype(np.float32))


def own_weights(out):
    """A network as nnunetv2 initialises it, and what it makes of an image."""
    torch.manual_seed(int(os.environ.get("LLMBENCH_TEST_SEED", "1")))
    square = PLANS["small_square"]["plans"]["configurations"]["2d"]["architecture"]["arch_kwargs"]
    net = network(square, 2, 3, True)
    parameters = dict(net.named_parameters(remove_duplicate=False))
    for name in own_names(net):
        out[f"weights/{name}"] = parameters[name].detach()
    with torch.no_grad():
        for head, output in enumerate(net(image(1001, (2, 2, 32, 32)))):
            out[f"own.head{head}"] = output


def main():
    out, meta = {}, {"nnunetv2": version("nnunetv2")}
    networks(out, meta)
    losses(out)
    training(out)
    transforms(out)
    geometry(out, meta)
    resampling(out)
    prediction(out)
    components(out)
    if "live" in sys.argv[2:]:
        own_weights(out)
    write_safetensors(sys.argv[1], {k: v.detach().numpy() for k, v in out.items()}, meta)


if __name__ == "__main__":
    main()
