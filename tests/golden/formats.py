"""The two file formats of the golden cases: safetensors and IDX. Numpy only."""

import gzip
import json
import struct

import numpy

KINDS = {"F32": numpy.dtype("<f4"), "F64": numpy.dtype("<f8")}


def write_safetensors(path, tensors):
    """Length of the header, header in JSON, then the tensors one after the other."""
    kinds = {dtype: kind for kind, dtype in KINDS.items()}
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = numpy.ascontiguousarray(tensor).tobytes()
        span = [len(body), len(body) + len(data)]
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape), "data_offsets": span}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the tensors are aligned
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def read_safetensors(path):
    """All tensors of a file, by name."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    return {
        name: numpy.frombuffer(body[slice(*entry["data_offsets"])], KINDS[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


IDX_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def write_idx(folder, data_set, packed):
    """Four files under MNIST's names; `packed` ones end in .gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in IDX_FILES.items():
        array = data_set[part]
        # 8: the items are unsigned bytes; then the number of dimensions and each of them, big-endian.
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        if packed:
            # No time stamp: the same pixels give the same file.
            content = gzip.compress(content, 9, mtime=0)
        (folder / (name + ".gz" * packed)).write_bytes(content)


def read_idx(folder):
    """The data set in `folder`, an image a row."""
    data_set = {}
    for part, name in IDX_FILES.items():
        packed = folder / (name + ".gz")
        content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / name).read_bytes()
        _, kind, dimensions = struct.unpack(">HBB", content[:4])
        assert kind == 8, f"{folder / name}: not unsigned bytes"
        shape = struct.unpack(f">{dimensions}I", content[4 : 4 + 4 * dimensions])
        array = numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * dimensions).reshape(shape)
        data_set[part] = array.reshape(shape[0], -1) if dimensions == 3 else array.astype(numpy.int64)
    return data_set
