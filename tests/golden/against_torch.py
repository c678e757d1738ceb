"""Runs every committed case with PyTorch in float64 and float32 and compares with the committed weights.

    python3 tests/golden/against_torch.py

Checks the reference itself: autograd instead of its gradients, torch.optim.SGD instead of its update,
torch.nn's names and layout. Needs numpy and torch.
"""

import json
import pathlib

import torch

from formats import read_idx, read_safetensors

HERE = pathlib.Path(__file__).resolve().parent


def network_of(spec, inputs):
    """An nn.Sequential for `linear:33,relu,linear:10`."""
    layers = []
    for layer in spec.split(","):
        kind, _, width = layer.partition(":")
        layers.append(torch.nn.Linear(inputs, int(width)) if kind == "linear" else torch.nn.ReLU())
        inputs = int(width) if kind == "linear" else inputs
    return torch.nn.Sequential(*layers)


def images_of(data_set, split, how, dtype):
    """Normalised images of a split."""
    train, images = (torch.tensor(data_set[f"{part}_images"], dtype=torch.float64) / 255 for part in ("train", split))
    if how == "standard":
        images = (images - train.mean()) / train.std(correction=0)
    return images.to(dtype)


def run(case, dtype):
    """Final weights, and the training and test losses of each epoch."""
    data_set = read_idx(HERE / case["data"])
    images, test_images = (images_of(data_set, split, case["normalize"], dtype) for split in ("train", "test"))
    labels, test_labels = (torch.tensor(data_set[f"{split}_labels"]) for split in ("train", "test"))
    network = network_of(case["model"], images.shape[1]).to(dtype)
    start = read_safetensors(HERE / case["start"])
    network.load_state_dict({name: torch.tensor(tensor).to(dtype) for name, tensor in start.items()})
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=case["lr"],
        momentum=case["momentum"],
        nesterov=case["nesterov"],
        weight_decay=case["weight_decay"],
    )

    def loss_of(images, labels):
        squares = sum((tensor**2).sum() for name, tensor in network.named_parameters() if name.endswith("weight"))
        return torch.nn.functional.cross_entropy(network(images), labels) + case["l2"] / 2 * squares

    figures, step = [], 0
    while step < case["steps"]:
        losses = []
        for batch in zip(images.split(case["batch_size"]), labels.split(case["batch_size"])):
            if step == case["steps"]:
                break
            loss = loss_of(*batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
        with torch.no_grad():
            figures.append((sum(losses) / len(losses), loss_of(test_images, test_labels).item()))
    return {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}, figures


def main():
    """A line a case: errors of float64, its losses, and float32."""
    torch.set_num_threads(1)
    cases = json.loads((HERE / "cases.json").read_text())
    for case in cases:
        expected = read_safetensors(HERE / case["expected"])
        errors = []
        for dtype in torch.float64, torch.float32:
            weights, figures = run(case, dtype)
            assert weights.keys() == expected.keys(), case["name"]
            assert all(weights[name].shape == expected[name].shape for name in weights), case["name"]
            errors.append(max(float(((weights[name] - w) ** 2).sum() / (w**2).sum()) ** 0.5 for name, w in expected.items()))
            wanted = [(epoch["train_loss"], epoch["test_loss"]) for epoch in case["epochs"]]
            assert len(wanted) == len(figures), case["name"]
            errors.append(max(abs(a / b - 1) for pair in zip(figures, wanted) for a, b in zip(*pair)))
        print("{:34} float64: weights {:.1e}, losses {:.1e}; float32: weights {:.1e}, losses {:.1e}".format(case["name"], *errors))
        assert errors[0] <= 1e-11 and errors[1] <= 1e-11, "the reference and PyTorch disagree"
        assert errors[2] <= 2e-6 and errors[3] <= 2e-6, "float32 is amplified"
    print(f"{len(cases)} cases agree")


if __name__ == "__main__":
    main()
