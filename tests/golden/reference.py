"""An independent trainer for multi-layer perceptrons, in numpy and float64.

It shares no line with shadegrad and follows PyTorch's published definitions, so that agreement between
the two means something. Every step is written out with explicit gradients; there is no autograd.

    loss = mean over the batch of the softmax cross-entropy  +  l2 / 2 * sum of squares of all weights

(`l2` leaves the biases alone; `weight_decay` is the optimizer's and takes them along.) Images are taken in
file order, epoch after epoch. The last batch of an epoch is whatever is left, is trained on, and its mean
is over its own images.
"""

from dataclasses import dataclass, field

import numpy

# Two logits nearer than this may change places through rounding, and an accuracy with them.
NEAR_TIE = 1e-4


class NearKink(Exception):
    """A ReLU's input came so close to zero that rounding may put it on the other side."""


@dataclass
class Settings:
    """What a run is told besides its data and its start weights."""

    batch_size: int
    steps: int
    lr: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    l2: float = 0.0


@dataclass
class Outcome:
    """What a run leaves behind."""

    weights: dict
    epochs: list = field(default_factory=list)
    # The smallest magnitude that any ReLU was given in training.
    nearest_kink: float = numpy.inf


def layers_of(spec):
    """`linear:33,relu,linear:10` -> ["linear", "relu", "linear"]; a layer's place is its number in PyTorch."""
    return [layer.split(":")[0] for layer in spec.split(",")]


def normalise(data_set, how, dtype):
    """Pixels of both splits in [0, 1], or with the training split's mean 0 and standard deviation 1."""
    train, test = (data_set[split].astype(dtype) / dtype(255) for split in ("train_images", "test_images"))
    if how == "standard":
        # Moments in float64 whatever `dtype` is: they are computed once. One channel, hence one number each;
        # the deviation is that of the population (divided by n), as torchvision's customary constants are.
        pixels = data_set["train_images"].astype(numpy.float64) / 255
        mean, deviation = dtype(pixels.mean()), dtype(pixels.std())
        train, test = (train - mean) / deviation, (test - mean) / deviation
    return train, test


def forward(layers, weights, x):
    """The input of each layer, and after them the logits."""
    values = [x]
    for index, layer in enumerate(layers):
        x = values[-1]
        if layer == "linear":
            values.append(x @ weights[f"{index}.weight"].T + weights[f"{index}.bias"])
        else:
            values.append(numpy.maximum(x, 0))
    return values


def cross_entropy(logits, labels):
    """Softmax cross-entropy of each row, and the rows' probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sum = numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))
    log_probabilities = shifted - log_sum
    return -log_probabilities[numpy.arange(len(labels)), labels], numpy.exp(log_probabilities)


def backward(layers, weights, values, d):
    """Gradients of all weights and biases; `d` is the loss's gradient with respect to the logits."""
    gradients = {}
    for index in reversed(range(len(layers))):
        x = values[index]
        if layers[index] == "linear":
            gradients[f"{index}.weight"] = d.T @ x
            gradients[f"{index}.bias"] = d.sum(axis=0)
            d = d @ weights[f"{index}.weight"]
        else:
            d = d * (x > 0)
    return gradients


def penalty(weights, l2):
    """l2 / 2 * the sum of squares of all weights; biases go free."""
    return l2 / 2 * sum(float((w**2).sum()) for name, w in weights.items() if name.endswith(".weight"))


def correctness(logits, labels):
    """The share of rows classified correctly, and the share whose verdict rounding could turn."""
    rows = numpy.arange(len(labels))
    rivals = logits.copy()
    rivals[rows, labels] = -numpy.inf
    margin = logits[rows, labels] - rivals.max(axis=1)
    return float((margin > 0).mean()), float((abs(margin) < NEAR_TIE).mean())


def sgd_step(weights, gradients, buffers, settings):
    """torch.optim.SGD with dampening 0: the first step's buffer is the gradient itself."""
    for name, w in weights.items():
        g = gradients[name] + settings.weight_decay * w
        if settings.momentum != 0:
            buffers[name] = settings.momentum * buffers[name] + g if name in buffers else g
            g = g + settings.momentum * buffers[name] if settings.nesterov else buffers[name]
        weights[name] = w - settings.lr * g


def train(
    data_set, spec, start, settings, normalisation="unit", dtype=numpy.float64, disturb=lambda d: d, kink_limit=0.0
):
    """Trains from the weights `start`. `disturb` may spoil the logits' gradients, to see what that does; a ReLU's
    input nearer to zero than `kink_limit` ends the run with NearKink."""
    layers = layers_of(spec)
    weights = {name: w.astype(dtype) for name, w in start.items()}
    train_images, test_images = normalise(data_set, normalisation, dtype)
    train_labels, test_labels = data_set["train_labels"], data_set["test_labels"]
    outcome, buffers, step = Outcome(weights), {}, 0
    while step < settings.steps:
        figures = []
        for first in range(0, len(train_images), settings.batch_size):
            if step == settings.steps:
                break
            batch = slice(first, first + settings.batch_size)
            labels = train_labels[batch]
            values = forward(layers, weights, train_images[batch])
            losses, d = cross_entropy(values[-1], labels)
            kinks = [abs(x).min() for x, layer in zip(values, layers) if layer == "relu"]
            outcome.nearest_kink = float(min([outcome.nearest_kink, *kinks]))
            if outcome.nearest_kink < kink_limit:
                raise NearKink
            figures.append((losses.mean(), penalty(weights, settings.l2), *correctness(values[-1], labels)))

            d[numpy.arange(len(labels)), labels] -= 1
            gradients = backward(layers, weights, values, disturb(d) / len(labels))
            for name in gradients:
                if name.endswith(".weight"):
                    gradients[name] = gradients[name] + settings.l2 * weights[name]
            sgd_step(weights, gradients, buffers, settings)
            step += 1

        entropy, weight_penalty, accuracy, doubt = (float(mean) for mean in numpy.mean(figures, axis=0))
        logits = forward(layers, weights, test_images)[-1]
        test_entropy = float(cross_entropy(logits, test_labels)[0].mean())
        test_accuracy, test_doubt = correctness(logits, test_labels)
        outcome.epochs.append({
            "epoch": len(outcome.epochs) + 1,
            "step": step,
            "train_loss": entropy + weight_penalty,
            "train_cross_entropy": entropy,
            "train_accuracy": accuracy,
            "train_accuracy_doubt": doubt,
            "test_loss": test_entropy + penalty(weights, settings.l2),
            "test_cross_entropy": test_entropy,
            "test_accuracy": test_accuracy,
            "test_accuracy_doubt": test_doubt,
        })
    return outcome
