"""Runs every committed case with PyTorch in float64 and float32 and compares with the committed weights.

    python3 tests/golden/against_torch.py

Checks the reference itself: autograd instead of its gradients, torch.optim and its schedulers instead of its updates (Lion alone is written out),
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


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, which PyTorch does not have."""

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for w in group["params"]:
                mean = self.state[w].setdefault("mean", torch.zeros_like(w))
                w.mul_(1 - group["lr"] * group["weight_decay"])
                w.sub_(group["lr"] * mean.lerp(w.grad, 1 - beta1).sign())
                mean.lerp_(w.grad, 1 - beta2)


def optimizer_of(case, parameters):
    """PyTorch's own, but for Lion."""
    lr, decay = case["lr"], case["weight_decay"]
    if case["optimizer"] == "sgd":
        return torch.optim.SGD(
            parameters, lr=lr, momentum=case["momentum"], nesterov=case["nesterov"], weight_decay=decay
        )
    betas = case["beta1"] or 0.9, case["beta2"] or (0.99 if case["optimizer"] == "lion" else 0.999)
    if case["optimizer"] == "lion":
        return Lion(parameters, {"lr": lr, "weight_decay": decay, "betas": betas})
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[case["optimizer"]]
    return kind(parameters, lr=lr, betas=betas, eps=case["epsilon"] or 1e-8, weight_decay=decay)


def schedule_of(case, optimizer, steps_per_epoch):
    """PyTorch's schedulers; a step schedule counts from the run's first step, and the rest starts after the warm-up."""
    schedulers = torch.optim.lr_scheduler
    total, name = case["planned_epochs"] * steps_per_epoch, case["schedule"]
    if name.startswith("one-cycle"):
        anneal = "linear" if name.endswith("linear") else "cos"
        return schedulers.OneCycleLR(
            optimizer, case["lr"], total_steps=total, pct_start=case["warmup"], anneal_strategy=anneal, cycle_momentum=False
        )
    rising = round(case["warmup"] * total)
    rest = {
        "constant": lambda: schedulers.ConstantLR(optimizer, factor=1),
        "linear": lambda: schedulers.LinearLR(optimizer, 1, 0, total - rising),
        "cosine": lambda: schedulers.CosineAnnealingLR(optimizer, total - rising),
        "step": lambda: schedulers.MultiStepLR(
            optimizer, [at - rising for at in range(case["step_every"], total, case["step_every"])], case["step_factor"]
        ),
    }[name]()
    if not rising:
        return rest
    # SequentialLR sets the first rate when it is made.
    warm = schedulers.LinearLR(optimizer, 1 / rising, 1, rising - 1)
    return schedulers.SequentialLR(optimizer, [warm, rest], [rising])


def run(case, dtype):
    """Final weights, and the training and test losses of each epoch."""
    data_set = read_idx(HERE / case["data"])
    images, test_images = (images_of(data_set, split, case["normalize"], dtype) for split in ("train", "test"))
    labels, test_labels = (torch.tensor(data_set[f"{split}_labels"]) for split in ("train", "test"))
    network = network_of(case["model"], images.shape[1]).to(dtype)
    start = read_safetensors(HERE / case["start"])
    network.load_state_dict({name: torch.tensor(tensor).to(dtype) for name, tensor in start.items()})
    optimizer = optimizer_of(case, network.parameters())
    schedule = schedule_of(case, optimizer, -(-len(images) // case["batch_size"]))

    def loss_of(images, labels, smoothing):
        squares = sum((tensor**2).sum() for name, tensor in network.named_parameters() if name.endswith("weight"))
        return torch.nn.functional.cross_entropy(network(images), labels, label_smoothing=smoothing) + case["l2"] / 2 * squares

    figures, step = [], 0
    while step < case["steps"]:
        losses, images_seen = [], 0
        for batch in zip(images.split(case["batch_size"]), labels.split(case["batch_size"])):
            if step == case["steps"]:
                break
            loss = loss_of(*batch, case["label_smoothing"])
            optimizer.zero_grad()
            loss.backward()
            if case["clip_norm"] is not None:
                torch.nn.utils.clip_grad_norm_(network.parameters(), case["clip_norm"])
            optimizer.step()
            schedule.step()
            losses.append(loss.item() * len(batch[1]))
            images_seen += len(batch[1])
            step += 1
        with torch.no_grad():
            figures.append((sum(losses) / images_seen, loss_of(test_images, test_labels, 0.0).item()))
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
