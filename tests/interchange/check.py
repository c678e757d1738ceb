"""Checks shadegrad's files with other programs. A command fails with an assertion error if they disagree.

    check.py onnx MODEL.onnx LOGITS.npy idx FOLDER      logits of a data set's test images
    check.py onnx MODEL.onnx LOGITS.npy pictures FILE...
    check.py sequential WEIGHTS.safetensors LAYERS SIZES LOGITS.npy FOLDER      images are of SIZES, CxHxW
    check.py draw WEIGHTS.safetensors LAYERS SIZES      writes random weights as PyTorch does
    check.py same ONE.safetensors OTHER.safetensors

Shares no code with shadegrad: onnxruntime computes, numpy and Pillow read the files, and sequential.py follows PyTorch.
"""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime
from PIL import Image, ImageOps
from safetensors.numpy import load_file, save_file

from sequential import sequential

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "golden"))
from formats import read_idx  # noqa: E402

TOLERANCE = 1e-4


def close(found, expected, what):
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    error = numpy.abs(found - expected) / numpy.maximum(1, numpy.abs(expected))
    assert error.max() <= TOLERANCE, f"{what}: off by {error.max()}"


def read_logits(path):
    logits = numpy.load(path, allow_pickle=False)
    assert logits.dtype == numpy.float32 and logits.flags.c_contiguous, f"{path}: {logits.dtype}"
    assert numpy.isfinite(logits).all() and len(numpy.unique(logits)) > 1, f"{path}: not finite, or all equal"
    return logits


def picture(path, channels):
    """The bytes of a picture on a white background, channels first."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):  # 16 bits
        image = Image.fromarray(numpy.rint(numpy.asarray(image) / 257).astype(numpy.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    image = image.convert({1: "L", 3: "RGB"}[channels])
    return numpy.asarray(image).reshape(image.height, image.width, channels).transpose(2, 0, 1)


def images_for(shape, kind, paths):
    if kind == "idx":
        return read_idx(pathlib.Path(paths[0]))["test_images"].reshape(-1, *shape)
    assert kind == "pictures", kind
    return numpy.stack([picture(path, shape[0]) for path in paths])


def check_onnx(model, logits, kind, *paths):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.type, given.name) == ("input", "tensor(float)", "logits"), (taken, given)
    batch, *shape = taken.shape
    assert isinstance(batch, str) and given.shape[0] == batch, (taken.shape, given.shape)
    about = {key: json.loads(text) for key, text in session.get_modelmeta().custom_metadata_map.items()}
    mean, std = (numpy.array(about[key]).reshape(-1, 1, 1) for key in ("mean", "std"))
    assert len(mean) == len(std) == shape[0] and len(about["classes"]) == given.shape[1], about

    expected = read_logits(logits)
    pixels = images_for(shape, kind, paths)
    images = ((pixels / 255 - mean) / std).astype(numpy.float32)
    for rows in (1, 3, len(images)):  # any size of the batch
        parts = [session.run(None, {"input": images[first : first + rows]})[0] for first in range(0, len(images), rows)]
        close(numpy.concatenate(parts), expected, f"batches of {rows}")


def check_sequential(weights, layers, sizes, logits, folder):
    """Compares with torch.nn.Sequential after load_state_dict, in float64."""
    tensors = load_file(weights)

    def take(name, shape):
        assert tensors[name].shape == shape, f"{name}: shape {tensors[name].shape}, not {shape}"
        return tensors.pop(name).astype(float)

    images = read_idx(pathlib.Path(folder))["test_images"].reshape(-1, *map(int, sizes.split("x")))
    x = sequential(layers, images / 255.0, take)
    tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    assert not tensors, f"unexpected tensors: {list(tensors)}"
    close(read_logits(logits), x, "logits")


def draw(weights, layers, sizes):
    random, tensors = numpy.random.default_rng(5), {}

    def take(name, shape):
        values = random.normal(0, 0.3, shape).astype(numpy.float32)
        tensors[name] = abs(values) + numpy.float32(0.5) if name.endswith("running_var") else values
        if name.endswith("running_var"):
            counter = name.replace("running_var", "num_batches_tracked")
            tensors[counter] = numpy.array(41, dtype=numpy.int64)
        return tensors[name]

    sequential(layers, numpy.zeros((1, *map(int, sizes.split("x")))), take)
    save_file(tensors, weights, metadata={"format": "pt"})


def check_same(one, other):
    # A training step changes the running statistics, whatever the learning rate.
    moves = ("running_mean", "running_var", "num_batches_tracked")
    one, other = (
        {name: tensor for name, tensor in load_file(path).items() if not name.endswith(moves)} for path in (one, other)
    )
    assert one.keys() == other.keys() and len(one) > 0, (list(one), list(other))
    for name in one:
        assert numpy.array_equal(one[name], other[name]), name


if __name__ == "__main__":
    commands = {"onnx": check_onnx, "sequential": check_sequential, "draw": draw, "same": check_same}
    commands[sys.argv[1]](*sys.argv[2:])
