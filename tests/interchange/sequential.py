"""torch.nn.Sequential in numpy, for a model's text: maps images [batch, channels, height, width] to logits."""

import math
import re

import numpy


def split(text, mark):
    """Splits a text at the marks that are outside of parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def window(text, stride, padding):
    """Size, stride and padding of `3s2p1`."""
    size, given_stride, given_padding = re.fullmatch(r"(\d+)(?:s(\d+))?(?:p(\d+))?", text).groups()
    size = int(size)
    return size, int(given_stride or stride(size)), int(given_padding or padding(size))


def shifted(x, size, stride, padding, filling):
    """For each kernel position, the values of all windows."""
    x = numpy.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)], constant_values=filling)
    rows, columns = ((length - size) // stride + 1 for length in x.shape[2:])
    for down in range(size):
        for across in range(size):
            yield (down, across), x[:, :, down:, across:][:, :, ::stride, ::stride][:, :, :rows, :columns]


def pool_window(text):
    return window(text, lambda size: size, lambda size: 0)


def conv(x, name, argument, take, has_bias):
    filters, size = argument.split("x")
    size, stride, padding = window(size, lambda size: 1, lambda size: size // 2 if size % 2 else 0)
    filters = int(filters)
    weight = take(f"{name}.weight", (filters, x.shape[1], size, size))
    places = shifted(x, size, stride, padding, 0)
    y = sum(numpy.einsum("bchw,oc->bohw", part, weight[:, :, down, across]) for (down, across), part in places)
    return y + take(f"{name}.bias", (filters,))[:, None, None] if has_bias else y


def linear(x, name, size, take):
    x = x.reshape(len(x), -1)
    return x @ take(f"{name}.weight", (size, x.shape[1])).T + take(f"{name}.bias", (size,))


def batch_norm(x, name, take):
    spread = (slice(None),) + (None,) * (x.ndim - 2)
    parts = ("weight", "bias", "running_mean", "running_var")
    weight, bias, mean, variance = (take(f"{name}.{part}", (x.shape[1],))[spread] for part in parts)
    return (x - mean) / numpy.sqrt(variance + 1e-5) * weight + bias


def average(x, size, stride, padding):
    return sum(part for _, part in shifted(x, size, stride, padding, 0)) / size**2


def largest(x, size, stride, padding):
    return numpy.max([part for _, part in shifted(x, size, stride, padding, -numpy.inf)], axis=0)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def gelu(x):
    return x * 0.5 * numpy.vectorize(math.erfc)(-x / math.sqrt(2))


def sequential(text, x, take, prefix=""):
    """Runs the layers; `take(name, shape)` returns a tensor of the state dictionary."""
    layers = split(text, ",") if text else []
    for index, layer in enumerate(layers):
        kind, _, argument = layer.partition(":")
        name = f"{prefix}{index}"
        if layer.startswith("residual("):
            body, *shortcut = split(layer.removeprefix("residual(")[:-1], "|")
            around = sequential(shortcut[0], x, take, f"{name}.shortcut.") if shortcut else x
            x = sequential(body, x, take, f"{name}.body.") + around
        elif kind == "linear":
            x = linear(x, name, int(argument), take)
        elif kind == "conv":
            behind = [layer.split(":")[0] for layer in layers[index + 1 :]]
            behind = [kind for kind in behind if kind not in ("maxpool", "globalmaxpool")]
            x = conv(x, name, argument, take, behind[:1] != ["batchnorm"])
        elif kind == "whiten":
            filters = 2 * x.shape[1] * int(argument) ** 2
            x = conv(x, name, f"{filters}x{argument}p0", take, True)
        elif kind == "batchnorm":
            x = batch_norm(x, name, take)
        else:
            x = {
                "relu": lambda: numpy.maximum(x, 0),
                "leakyrelu": lambda: numpy.where(x > 0, x, float(argument) * x),
                "gelu": lambda: gelu(x),
                "silu": lambda: x * sigmoid(x),
                "hardswish": lambda: x * numpy.clip(x + 3, 0, 6) / 6,
                "relu6": lambda: numpy.clip(x, 0, 6),
                "sigmoid": lambda: sigmoid(x),
                "tanh": lambda: numpy.tanh(x),
                "dropout": lambda: x,
                "scale": lambda: float(argument) * x,
                "flatten": lambda: x.reshape(len(x), -1),
                "maxpool": lambda: largest(x, *pool_window(argument)),
                "avgpool": lambda: average(x, *pool_window(argument)),
                "globalmaxpool": lambda: x.max(axis=(2, 3), keepdims=True),
                "globalavgpool": lambda: x.mean(axis=(2, 3), keepdims=True),
            }[kind]()
    return x
