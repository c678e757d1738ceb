"""Writes all golden files from nothing, or with --check computes them again from the committed inputs.

    python3 tests/golden/generate.py [--check]

Needs numpy and nothing else.
"""

import itertools
import json
import pathlib
import sys

import numpy

from cases import CASES, DATA_SETS, NETWORKS, draw_data_set, draw_start, settings_of
from formats import read_idx, read_safetensors, write_idx, write_safetensors
from reference import NearKink, train

HERE = pathlib.Path(__file__).resolve().parent

# No input of a ReLU may be closer to zero than this in training. float32 rounding is some 3e-7 there.
# One input with the wrong sign switches a whole gradient on or off and moves weights by 1e-3, far
# beyond the tolerance of 1e-5. Initial weights are drawn until a run keeps this distance.
KINK_LIMIT = 1e-5

# Maximum float32 error of any tensor, relative to its norm, and of any loss: a fifth of shadegrad's tolerance.
ROUNDING_LIMIT = 2e-6

# Like ROUNDING_LIMIT, for --check, where only the order of float64 sums may differ.
SAME_LIMIT = 1e-11


def largest_error(expected, actual):
    """The largest error of any tensor, relative to its norm."""
    return max(float(numpy.linalg.norm(actual[name] - w) / numpy.linalg.norm(w)) for name, w in expected.items())


def largest_element_error(expected, actual):
    """The largest error of any single weight, relative to the root mean square of its tensor."""
    return max(float(abs(actual[name] - w).max() / (w**2).mean() ** 0.5) for name, w in expected.items())


def largest_loss_error(expected, actual):
    """The largest relative error of any epoch's training or test loss. A run may go astray and come back."""
    return max(
        abs(now[key] / then[key] - 1)
        for then, now in zip(expected.epochs, actual.epochs)
        for key in ("train_loss", "test_loss")
    )


def calm_start(data_set, case):
    """The first seed, with its initial weights, for which no ReLU is near its kink; and the results of the run."""
    network, normalisation = case[:2]
    _, spec = NETWORKS[network]
    for seed in itertools.count():
        start = draw_start(seed, data_set["train_images"].shape[1], spec)
        try:
            return seed, start, train(data_set, spec, start, settings_of(case), normalisation, kink_limit=KINK_LIMIT)
        except NearKink:
            continue


def judge(name, case, data_set, start, exact):
    """A row of the README's table: what rounding does to this case. Fails where it does too much."""
    network, normalisation = case[:2]
    _, spec = NETWORKS[network]
    random = numpy.random.default_rng(0)

    def disturb(d):
        # As if exp and the division of softmax had errors of one in a million.
        return d * (1 + 1e-6 * random.standard_normal(d.shape)).astype(numpy.float32)

    arguments = (data_set, spec, start, settings_of(case), normalisation, numpy.float32)
    rounded, disturbed = train(*arguments), train(*arguments, disturb)
    errors = [largest_error(exact.weights, run.weights) for run in (rounded, disturbed)]
    losses = [largest_loss_error(exact, run) for run in (rounded, disturbed)]
    assert max(errors + losses) <= ROUNDING_LIMIT, f"{name}: float32 is off by {errors}, the losses by {losses}"
    element = largest_element_error(exact.weights, rounded.weights)
    first, last = exact.epochs[0], exact.epochs[-1]
    kink = "none" if exact.nearest_kink == numpy.inf else f"{exact.nearest_kink:.1e}"
    return (
        f"| {name} | {errors[0]:.1e} | {errors[1]:.1e} | {element:.1e} | {max(losses):.1e} | {kink} | {len(exact.epochs)} "
        f"| {first['train_cross_entropy']:.3f} → {last['train_cross_entropy']:.3f} | {last['test_accuracy']:.3f} |"
    )


def description(name, case):
    """A case for the Rust test, without what it should end in."""
    network, normalisation = case[:2]
    data, spec = NETWORKS[network]
    settings = vars(settings_of(case)).copy()
    # `epochs` are the metrics.
    settings["planned_epochs"] = settings.pop("epochs")
    return {
        "name": name,
        "data": f"data/{data}",
        "model": spec,
        "normalize": normalisation,
        "start": f"start/{name}.safetensors",
        "expected": f"expected/{name}.safetensors",
        **settings,
    }


def cases_text(described):
    """JSON with an epoch a line, so that a change can be read in a diff."""
    blocks = []
    for case, epochs in described:
        head = json.dumps(case, indent=1).removesuffix("\n}")
        lines = ",\n".join("  " + json.dumps(epoch) for epoch in epochs)
        blocks.append(f'{head},\n "epochs": [\n{lines}\n ]\n}}')
    return "[\n" + ",\n".join(blocks) + "\n]\n"


def write_table(rows):
    """Puts the rows where the README has its table."""
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition("<!-- table -->\n")
    _, _, after = rest.partition("<!-- end of table -->\n")
    head = (
        "| case | float32 | disturbed | one weight | losses | nearest kink | epochs | cross-entropy | test accuracy |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    table = head + "".join(row + "\n" for row in rows)
    readme.write_text(f"{before}<!-- table -->\n{table}<!-- end of table -->\n{after}")


def generate():
    """Draws data and initial weights, trains, and writes everything."""
    for folder in "start", "expected":
        (HERE / folder).mkdir(exist_ok=True)
        for old in (HERE / folder).glob("*.safetensors"):
            old.unlink()
    for name, parameters in DATA_SETS.items():
        write_idx(HERE / "data" / name, draw_data_set(**parameters), parameters["packed"])
    described, rows = [], []
    for name, case in CASES.items():
        what = description(name, case)
        data_set = read_idx(HERE / what["data"])
        seed, start, exact = calm_start(data_set, case)
        write_safetensors(HERE / what["start"], start)
        write_safetensors(HERE / what["expected"], exact.weights)
        described.append((what | {"start_seed": seed}, exact.epochs))
        rows.append(judge(name, case, data_set, start, exact))
        print(rows[-1], flush=True)
    (HERE / "cases.json").write_text(cases_text(described))
    write_table(rows)


def check():
    """Computes every case again from the committed data and initial weights and compares."""
    committed = {case["name"]: case for case in json.loads((HERE / "cases.json").read_text())}
    assert list(committed) == list(CASES), "cases.json and cases.py list different cases"
    for name, case in CASES.items():
        what = committed[name]
        for key, value in description(name, case).items():
            assert what[key] == value, f"{name}: {key} is {what[key]} in cases.json, {value} in cases.py"
        data_set, start = read_idx(HERE / what["data"]), read_safetensors(HERE / what["start"])
        exact = train(data_set, what["model"], start, settings_of(case), what["normalize"], kink_limit=KINK_LIMIT)
        error = largest_error(exact.weights, read_safetensors(HERE / what["expected"]))
        assert error <= SAME_LIMIT, f"{name}: the weights differ by {error}"
        assert len(exact.epochs) == len(what["epochs"]), f"{name}: number of epochs"
        for now, then in zip(exact.epochs, what["epochs"]):
            assert now.keys() == then.keys(), f"{name}: names of figures"
            assert all(abs(now[key] - then[key]) <= SAME_LIMIT * max(1, abs(then[key])) for key in now), (name, now, then)
        print(judge(name, case, data_set, start, exact), flush=True)


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else generate()
