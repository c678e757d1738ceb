"""An independent trainer for multi-layer perceptrons, in numpy and float64.

It shares no code with shadegrad and follows PyTorch's published definitions, so agreement between
the two is meaningful. Every step is written out with explicit gradients; there is no autograd.

    loss = mean over the batch of the softmax cross-entropy  +  l2 / 2 * sum of squares of all weights

(`l2` does not apply to biases; `weight_decay` is the optimizer's and does.) Images are taken in file
order, epoch after epoch. The last batch of an epoch has the remaining images and is trained on; its
mean is over its own images.
"""

from dataclasses import dataclass, field

import numpy

# Rounding may change the order of two logits that are closer than this, and so an accuracy.
NEAR_TIE = 1e-4


# Lion uses the sign of a sum: none may be closer to zero than this fraction of its tensor's largest.
SIGN_LIMIT = 3e-6


class NearKink(Exception):
    """The input of a ReLU, or a sum whose sign Lion uses, is so close to zero that rounding may change its sign."""


@dataclass
class Settings:
    """Settings of a run, without its data and initial weights."""

    batch_size: int
    steps: int
    lr: float
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    # "biases lr=2 decay=0, 0 lr=0.5": torch.optim's parameter groups, with learning rates as factors.
    groups: str = ""
    l2: float = 0.0
    # Planned epochs, the length of schedules; `steps` may end the run before them.
    epochs: int = 1000
    optimizer: str = "sgd"
    # Of Adam, AdamW and Lion; None is the optimizer's default.
    beta1: float | None = None
    beta2: float | None = None
    epsilon: float | None = None
    clip_norm: float | None = None
    label_smoothing: float = 0.0
    # Decay of the moving averages of the weights, if these are evaluated and saved.
    ema: float | None = None
    schedule: str = "constant"
    # A fraction of all steps, or a number of steps ("7") or of epochs ("2e").
    warmup: float | str = 0.0
    step_every: int | None = None
    step_factor: float | None = None


@dataclass
class Outcome:
    """What a run leaves behind."""

    weights: dict
    epochs: list = field(default_factory=list)
    # The smallest magnitude of any ReLU's input in training.
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


def learning_rate(settings, step, steps_per_epoch):
    """The rate of a step, from 0, by the formulas in PyTorch's documentation of its schedulers; all steps of the planned
    epochs count, not only those until the run is stopped."""
    total = settings.epochs * steps_per_epoch
    peak, warmup = settings.lr, settings.warmup
    if isinstance(warmup, str):
        warmup = int(warmup.removesuffix("e")) * (steps_per_epoch if warmup.endswith("e") else 1)
    else:
        warmup *= total
    if settings.schedule.startswith("one-cycle"):
        # OneCycleLR with pct_start = warmup, div_factor 25, final_div_factor 1e4.
        top, last = warmup - 1, total - 1
        low, lowest = peak / 25, peak / 25 / 1e4
        start, end, progress = (low, peak, step / top) if step <= top else (peak, lowest, (step - top) / (last - top))
        if settings.schedule == "one-cycle-linear":
            return (end - start) * progress + start
        return end + (start - end) / 2 * (1 + numpy.cos(numpy.pi * progress))
    rising = round(warmup)
    if step < rising:
        return peak * (step + 1) / rising
    if settings.schedule == "step":
        return peak * settings.step_factor ** (step // settings.step_every)
    progress = (step - rising) / (total - rising)
    return peak * {"constant": 1, "linear": 1 - progress, "cosine": (1 + numpy.cos(numpy.pi * progress)) / 2}[settings.schedule]


def clip(gradients, most):
    """torch.nn.utils.clip_grad_norm_."""
    norm = numpy.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = most / (norm + 1e-6)
    if factor < 1:
        for name in gradients:
            gradients[name] = gradients[name] * factor


def own(settings, name, lr):
    """Learning rate and weight decay of the parameter `name`: the last group that says something of it holds."""
    decay = settings.weight_decay
    factor = 1.0
    for group in filter(None, settings.groups.split(",")):
        who, *words = group.split()
        kind = {"weights": ".weight", "biases": ".bias"}.get(who)
        if name.endswith(kind) if kind else name == who or name.startswith(who + "."):
            said = dict(word.split("=") for word in words)
            factor, decay = float(said.get("lr", factor)), float(said.get("decay", decay))
    return lr * factor, decay


def adam_step(weights, gradients, buffers, settings, base, t):
    """torch.optim.Adam and torch.optim.AdamW, t from 1."""
    beta1, beta2, epsilon = settings.beta1 or 0.9, settings.beta2 or 0.999, settings.epsilon or 1e-8
    for name, w in weights.items():
        g = gradients[name]
        lr, decay = own(settings, name, base)
        if settings.optimizer == "adam":
            g = g + decay * w
        else:
            w = w - lr * decay * w
        mean, square = buffers.get(name, (numpy.zeros_like(w), numpy.zeros_like(w)))
        mean, square = beta1 * mean + (1 - beta1) * g, beta2 * square + (1 - beta2) * g * g
        buffers[name] = mean, square
        denominator = numpy.sqrt(square) / numpy.sqrt(1 - beta2**t) + epsilon
        weights[name] = w - lr / (1 - beta1**t) * mean / denominator


def lion_step(weights, gradients, buffers, settings, base, limit):
    """Algorithm 2 of Chen et al. 2023."""
    beta1, beta2 = settings.beta1 or 0.9, settings.beta2 or 0.99
    for name, w in weights.items():
        g, mean = gradients[name], buffers.get(name, numpy.zeros_like(w))
        total = beta1 * mean + (1 - beta1) * g
        # Exact zeros are gradients of units that no image of the run activates.
        if limit and (abs(total[total != 0]) < limit * abs(total).max()).any():
            raise NearKink
        lr, decay = own(settings, name, base)
        weights[name] = w - lr * (numpy.sign(total) + decay * w)
        buffers[name] = beta2 * mean + (1 - beta2) * g


def sgd_step(weights, gradients, buffers, settings, base):
    """torch.optim.SGD with dampening 0: the first step's buffer is the gradient itself."""
    for name, w in weights.items():
        lr, decay = own(settings, name, base)
        g = gradients[name] + decay * w
        if settings.momentum != 0:
            buffers[name] = settings.momentum * buffers[name] + g if name in buffers else g
            g = g + settings.momentum * buffers[name] if settings.nesterov else buffers[name]
        weights[name] = w - lr * g


def train(
    data_set, spec, start, settings, normalisation="unit", dtype=numpy.float64, disturb=lambda d: d, kink_limit=0.0
):
    """Trains from the weights `start`. `disturb` may spoil the logits' gradients, to see what that does; a ReLU's
    input nearer to zero than `kink_limit` ends the run with NearKink."""
    layers = layers_of(spec)
    weights = {name: w.astype(dtype) for name, w in start.items()}
    train_images, test_images = normalise(data_set, normalisation, dtype)
    train_labels, test_labels = data_set["train_labels"], data_set["test_labels"]
    outcome, buffers, averages, step = Outcome(weights), {}, {}, 0
    steps_per_epoch = -(-len(train_images) // settings.batch_size)
    while step < settings.steps:
        figures, sizes = [], []
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
            smoothing, classes = settings.label_smoothing, values[-1].shape[1]
            if smoothing:
                # The weighted mean of the losses for the label and for each class.
                each = [cross_entropy(values[-1], numpy.full_like(labels, other))[0] for other in range(classes)]
                losses = (1 - smoothing) * losses + smoothing * sum(each) / classes
            figures.append((losses.mean(), penalty(weights, settings.l2), *correctness(values[-1], labels)))
            sizes.append(len(labels))

            d[numpy.arange(len(labels)), labels] -= 1 - smoothing
            d -= dtype(smoothing / classes)
            gradients = backward(layers, weights, values, disturb(d) / len(labels))
            for name in gradients:
                if name.endswith(".weight"):
                    gradients[name] = gradients[name] + settings.l2 * weights[name]
            if settings.clip_norm is not None:
                clip(gradients, settings.clip_norm)
            # A Python float: numpy's float64 would convert float32 arrays to float64.
            lr = float(learning_rate(settings, step, steps_per_epoch))
            if settings.optimizer == "sgd":
                sgd_step(weights, gradients, buffers, settings, lr)
            elif settings.optimizer == "lion":
                lion_step(weights, gradients, buffers, settings, lr, SIGN_LIMIT if kink_limit else 0)
            else:
                adam_step(weights, gradients, buffers, settings, lr, step + 1)
            step += 1
            if settings.ema is not None:
                # swa_utils.AveragedModel: the first update copies.
                for name, w in weights.items():
                    average = averages.get(name, w)
                    averages[name] = settings.ema * average + (1 - settings.ema) * w

        judged = averages if settings.ema is not None else weights
        entropy, weight_penalty, accuracy, doubt = (float(mean) for mean in numpy.average(figures, axis=0, weights=sizes))
        logits = forward(layers, judged, test_images)[-1]
        test_entropy = float(cross_entropy(logits, test_labels)[0].mean())
        test_accuracy, test_doubt = correctness(logits, test_labels)
        outcome.epochs.append({
            "epoch": len(outcome.epochs) + 1,
            "step": step,
            "train_loss": entropy + weight_penalty,
            "train_cross_entropy": entropy,
            "train_accuracy": accuracy,
            "train_accuracy_doubt": doubt,
            "test_loss": test_entropy + penalty(judged, settings.l2),
            "test_cross_entropy": test_entropy,
            "test_accuracy": test_accuracy,
            "test_accuracy_doubt": test_doubt,
        })
    outcome.weights = judged
    return outcome
