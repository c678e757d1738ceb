"""The list of runs: data sets, networks with their initial weights, and settings."""

import numpy

from reference import Settings, layers_of

# Nothing divides evenly: no side is a multiple of 8, and both training splits have partial batches.
DATA_SETS = {
    "ten-classes-7x9": {"seed": 1, "height": 7, "width": 9, "classes": 10, "train": 1000, "test": 137, "packed": True},
    "six-classes-5x4": {"seed": 2, "height": 5, "width": 4, "classes": 6, "train": 211, "test": 61, "packed": False},
}

# Name -> data set and model.
NETWORKS = {
    "one": ("ten-classes-7x9", "linear:10"),
    "two": ("ten-classes-7x9", "linear:33,relu,linear:10"),
    "three": ("ten-classes-7x9", "linear:32,relu,linear:17,relu,linear:10"),
    "small-one": ("six-classes-5x4", "linear:6"),
    "small-two": ("six-classes-5x4", "linear:33,relu,linear:6"),
    "small-three": ("six-classes-5x4", "linear:32,relu,linear:17,relu,linear:6"),
}

NESTEROV = {"momentum": 0.9, "nesterov": True}
ALL = {**NESTEROV, "weight_decay": 5e-4, "l2": 0.01}

# Name: network, normalisation, batch size, steps, learning rate, the rest. 1000 images are 20 batches of 50, 15
# and 40 images of 64, 10 and 40 images of 96; 211 are 4 and 11 of 50, 3 and 19 of 64.
CASES = {
    "one-plain-50": ("one", "unit", 50, 150, 0.2, {}),
    "one-all-96-standard": ("one", "standard", 96, 200, 0.01, ALL),
    "two-plain-1": ("two", "unit", 1, 300, 0.05, {}),
    "two-plain-50": ("two", "unit", 50, 150, 0.2, {}),
    "two-plain-64": ("two", "unit", 64, 200, 0.2, {}),
    "two-plain-96-standard": ("two", "standard", 96, 250, 0.1, {}),
    "two-momentum-64": ("two", "unit", 64, 200, 0.05, {"momentum": 0.9}),
    "two-momentum-96": ("two", "unit", 96, 150, 0.05, {"momentum": 0.9}),
    "two-nesterov-50": ("two", "unit", 50, 250, 0.03, NESTEROV),
    "two-nesterov-64": ("two", "unit", 64, 200, 0.05, NESTEROV),
    "two-decay-64": ("two", "unit", 64, 200, 0.2, {"weight_decay": 5e-4}),
    "two-decay-momentum-96": ("two", "unit", 96, 200, 0.05, {"weight_decay": 2e-3, "momentum": 0.9}),
    "two-l2-64": ("two", "unit", 64, 200, 0.2, {"l2": 0.01}),
    "two-l2-1": ("two", "unit", 1, 300, 0.05, {"l2": 0.01}),
    "two-all-64-standard": ("two", "standard", 64, 200, 0.02, ALL),
    "three-plain-64": ("three", "unit", 64, 250, 0.1, {}),
    "three-momentum-96": ("three", "unit", 96, 170, 0.03, {"momentum": 0.9}),
    "three-nesterov-l2-50-standard": ("three", "standard", 50, 200, 0.02, {**NESTEROV, "l2": 0.01}),
    "three-all-96": ("three", "unit", 96, 250, 0.05, ALL),
    "small-one-l2-1": ("small-one", "unit", 1, 300, 0.05, {"l2": 0.01}),
    # 30 epochs exactly: no event may follow the last full epoch.
    "small-two-decay-50": ("small-two", "unit", 50, 150, 0.2, {"weight_decay": 1e-3}),
    "small-two-all-1": ("small-two", "unit", 1, 250, 0.005, ALL),
    "small-three-nesterov-64-standard": ("small-three", "standard", 64, 170, 0.02, NESTEROV),
    # A batch larger than the set: every step is a partial batch and an epoch.
    "small-two-plain-256": ("small-two", "unit", 256, 60, 0.5, {}),
    # 211 images at batch size 64 are 4 steps per epoch, and 100 steps in 25 epochs.
    "small-two-clip-64": ("small-two", "unit", 64, 100, 0.1, {"clip_norm": 0.5}),
    "small-two-clip-all-64": ("small-two", "unit", 64, 100, 0.05, {**ALL, "clip_norm": 0.25}),
    "small-two-smooth-64": ("small-two", "unit", 64, 100, 0.2, {"label_smoothing": 0.1}),
    "small-one-smooth-1": ("small-one", "unit", 1, 300, 0.05, {"label_smoothing": 0.2}),
    "small-two-adam-64": ("small-two", "unit", 64, 100, 0.005, {"optimizer": "adam", "epsilon": 1e-4}),
    "small-one-adam-50": ("small-one", "unit", 50, 150, 0.01, {"optimizer": "adam"}),
    "small-one-adam-all-50": ("small-one", "standard", 50, 150, 0.01, {
        "optimizer": "adam", "weight_decay": 0.01, "l2": 0.01, "beta1": 0.8, "beta2": 0.95, "clip_norm": 1.0}),
    "small-two-adamw-64": ("small-two", "unit", 64, 100, 0.005, {
        "optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 0.1, "label_smoothing": 0.1,
        "schedule": "cosine", "warmup": 0.1, "epochs": 25}),
    "small-one-lion-50": ("small-one", "unit", 50, 60, 0.003, {"optimizer": "lion"}),
    "small-two-lion-64": ("small-two", "unit", 64, 10, 0.003, {
        "optimizer": "lion", "weight_decay": 0.1, "l2": 0.01, "schedule": "one-cycle", "warmup": 0.3, "epochs": 4}),
    "small-two-step-64": ("small-two", "unit", 64, 100, 0.2, {
        "schedule": "step", "step_every": 30, "step_factor": 0.25, "warmup": 0.05, "epochs": 30}),
    "small-two-linear-64": ("small-two", "unit", 64, 100, 0.2, {"schedule": "linear", "warmup": 0.2, "epochs": 25}),
    "small-two-cosine-64": ("small-two", "unit", 64, 90, 0.1, {"momentum": 0.9, "schedule": "cosine", "epochs": 25}),
    "small-two-one-cycle-64": ("small-two", "unit", 64, 100, 0.3, {
        "schedule": "one-cycle", "warmup": 0.3, "epochs": 25}),
    "small-two-one-cycle-linear-1": ("small-two", "unit", 1, 300, 0.05, {
        "schedule": "one-cycle-linear", "warmup": 0.25, "epochs": 2}),
    # Groups: kinds, layers and tensors, and later rules that override earlier ones.
    "small-two-groups-64": ("small-two", "unit", 64, 100, 0.1, {
        "weight_decay": 5e-3, "groups": "biases decay=0 lr=2, 2 lr=0.5, 0.weight decay=0.02"}),
    "small-two-groups-all-64": ("small-two", "unit", 64, 100, 0.05, {
        **ALL, "groups": "weights lr=0.7, 2.bias decay=0.1 lr=0", "clip_norm": 1.0}),
    "small-two-groups-momentum-50": ("small-two", "unit", 50, 100, 0.05, {
        "momentum": 0.9, "weight_decay": 5e-3, "groups": "0 decay=0, biases lr=3"}),
    "small-one-groups-adam-50": ("small-one", "unit", 50, 150, 0.01, {
        "optimizer": "adam", "weight_decay": 0.01, "groups": "biases lr=0.25 decay=0"}),
    "small-two-groups-adamw-64": ("small-two", "unit", 64, 100, 0.005, {
        "optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 0.1, "groups": "biases decay=0, 2 lr=3"}),
    "small-one-groups-lion-50": ("small-one", "unit", 50, 60, 0.003, {
        "optimizer": "lion", "weight_decay": 0.1, "groups": "biases lr=4 decay=0"}),
    "small-one-groups-1": ("small-one", "unit", 1, 300, 0.05, {"weight_decay": 1e-3, "groups": "0.bias lr=0.5 decay=0"}),
    "small-two-warmup-steps-64": ("small-two", "unit", 64, 100, 0.2, {
        "schedule": "linear", "warmup": "7", "epochs": 25}),
    "small-two-warmup-epochs-64": ("small-two", "unit", 64, 100, 0.3, {
        "schedule": "one-cycle", "warmup": "5e", "epochs": 25}),
    # Moving averages: over few steps, over many, with an optimizer with state, and with batch size 1.
    "small-two-ema-64": ("small-two", "unit", 64, 100, 0.2, {"ema": 0.9}),
    "small-two-ema-adamw-64": ("small-two", "unit", 64, 90, 0.005, {
        "ema": 0.99, "optimizer": "adamw", "epsilon": 1e-4, "weight_decay": 0.1, "schedule": "cosine", "epochs": 25}),
    "small-two-ema-all-50": ("small-two", "unit", 50, 100, 0.02, {**ALL, "ema": 0.95, "groups": "biases decay=0"}),
    "small-one-ema-1": ("small-one", "unit", 1, 300, 0.05, {"ema": 0.98, "l2": 0.01}),
    # Stopped after the first steps, while Adam's bias corrections are largest.
    "small-one-adam-first": ("small-one", "unit", 64, 1, 0.01, {"optimizer": "adam", "epsilon": 1e-4}),
    "small-one-adamw-third": ("small-one", "unit", 64, 3, 0.01, {"optimizer": "adamw", "weight_decay": 0.5}),
    "small-one-lion-second": ("small-one", "unit", 64, 2, 0.01, {"optimizer": "lion", "weight_decay": 0.5}),
}


def settings_of(case):
    """The settings of a row of CASES."""
    _, _, batch_size, steps, lr, more = case
    return Settings(batch_size, steps, lr, **more)


def draw_data_set(seed, height, width, classes, train, test, **_):
    """A pattern for each class, seen through noise strong enough that classes overlap."""
    random = numpy.random.default_rng(seed)
    patterns = random.uniform(-1, 1, (classes, height, width))
    data_set = {}
    for split, count in ("train", train), ("test", test):
        labels = random.integers(0, classes, count)
        images = 110 + 45 * patterns[labels] + 60 * random.standard_normal((count, height, width))
        data_set[f"{split}_images"] = images.round().clip(0, 255).astype(numpy.uint8)
        data_set[f"{split}_labels"] = labels.astype(numpy.uint8)
    return data_set


def draw_start(seed, inputs, spec):
    """Initial weights; the biases are not zero either, so that their updates matter."""
    random = numpy.random.default_rng(seed)
    start = {}
    for index, layer in enumerate(layers_of(spec)):
        if layer == "linear":
            outputs = int(spec.split(",")[index].split(":")[1])
            start[f"{index}.weight"] = random.standard_normal((outputs, inputs)) * inputs**-0.5
            start[f"{index}.bias"] = random.standard_normal(outputs) * 0.1
            inputs = outputs
    return {name: tensor.astype(numpy.float32) for name, tensor in start.items()}
