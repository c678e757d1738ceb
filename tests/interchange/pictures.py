"""Draws pictures in every format of PNG: pictures.py FOLDER [grey]

Two classes, 23 pixels wide and 17 high: palettes, 16 bits, one bit, transparency, and interlacing
if Pillow supports it.
"""

import pathlib
import sys

import numpy
from PIL import Image

SIZE = (17, 23)
RANDOM = numpy.random.default_rng(3)


def noise(*channels, kind=numpy.uint8):
    return RANDOM.integers(0, numpy.iinfo(kind).max, (*SIZE, *channels), dtype=kind, endpoint=True)


def grey():
    yield "grey", Image.fromarray(noise())
    yield "grey16", Image.fromarray(noise(kind=numpy.uint16))
    yield "bits", Image.fromarray(noise() > 127)
    yield "transparent", Image.fromarray(noise(2), "LA")


def colour():
    yield "colour", Image.fromarray(noise(3))
    yield "transparent_colour", Image.fromarray(noise(4))
    yield "palette", Image.fromarray(noise(3)).quantize(200)
    yield "small_palette", Image.fromarray(noise(3)).quantize(7)
    see_through = Image.fromarray(noise(3)).quantize(11)
    see_through.info["transparency"] = 3
    yield "palette_with_a_hole", see_through


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    kinds = [grey] if sys.argv[2:] == ["grey"] else [grey, colour]
    for name in ("Größe", "图片"):
        (folder / name).mkdir(parents=True)
        for kind in kinds:
            for form, image in kind():
                image.save(folder / name / f"{form}.png")
