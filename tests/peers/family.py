#!/usr/bin/env python3
"""Mult-DAE, Mult-VAE, CDAE and RecVAE of the cards against the same models in PyTorch (multvae.py): several seeds of each on the same
split with the same settings, which are read from the card's resolved file. The two draw other numbers, so that only their
distributions can agree: each figure is held against the other's by Welch's t-test, all of them corrected by Holm, at 1 %.

Prints a table as Markdown, with the seconds of training; exit 1 where a figure differs. A run takes hours at the cards' full length:
with --samples FILE each model's figures are kept in the file when they are there, and models found in a given file are not run again,
so that several processes can share the models (a file each) and a last one with all the files makes the table.
Usage: family.py AEXP SPLIT_DUMP CARDS [--seeds N] [--models dae,vae,... --epochs 8,8,...] [--threads N] [--set KEY=VALUE]...
       [--samples FILE]...
"""
import argparse
import importlib.util
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

import ranking  # ends with 77 without numpy

if not importlib.util.find_spec("torch"):
    print(f"skipped: {sys.executable} has no torch")
    sys.exit(77)

CARDS = {"dae": "ml1m-multdae", "vae": "ml1m-multvae", "cdae": "ml1m-cdae", "recvae": "ml1m-recvae"}
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "multvae.py")
LEVEL = 0.01


def number(text, group, key):
    """The first number that a key has in a group of a resolved file; None where there is none."""
    begin = re.search(rf"\b{group}: [{{(]", text)
    found = begin and re.compile(rf"\b{key} = ([-+.e0-9]+);").search(text, begin.end())
    return found and found.group(1)


def settings(model, text):
    """The peer's arguments for what the resolved file says."""
    units = re.findall(r"\bunits = (\d+);", text)
    ret = {"hidden": units[0], "latent": units[{"dae": 0, "vae": 1}.get(model, -1)], "dropout": number(text, "graph", "rate"),
           "rate": number(text, "optimizer", "rate"), "epochs": number(text, "train", "epochs"),
           "batch": number(text, "train", "batch")}
    ret |= {"dae": {"l2": number(text, "graph", "l2")},
            "vae": {"cap": number(text, "kl", "cap"), "anneal": number(text, "kl", "steps")},
            "cdae": {"l2": number(text, "graph", "l2"), "negatives": number(text, "loss", "negatives")},
            "recvae": {"gamma": number(text, "kl", "cap")}}[model]
    return [word for key, value in ret.items() for word in (f"--{key}", value)]


def run_here(options, card, sets, seed):
    """Figures on test, the seconds of training, the resolved file."""
    metrics, run, text = ranking.run_aexp(options.aexp, card, [*sets, f"seed={seed}"], "-t", str(options.threads))
    seconds = next(phase["seconds"] for phase in run["phases"] if phase["name"] == "train")
    return metrics["final"]["test"], seconds, text


def run_there(model, options, folder, text, seed):
    output = subprocess.run([sys.executable, PEER, model, folder, "--seed", str(seed), "--threads", str(options.threads),
                             *settings(model, text)], check=True, stdout=subprocess.PIPE, text=True).stdout
    result = json.loads(output)
    return result["test"], result["seconds"]


# --- Welch's t-test ---

def beta_fraction(a, b, x):
    """Lentz's continued fraction of the incomplete beta function."""
    tiny, c, d = 1e-300, 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 500):
        for numerator in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                          -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d, c = 1 + numerator * d, 1 + numerator / c
            d, c = 1 / (d if abs(d) > tiny else tiny), c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return value


def incomplete_beta(a, b, x):
    if x in (0.0, 1.0):
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(a, b, x) / a
    return 1 - front * beta_fraction(b, a, 1 - x) / b


def welch(a, b):
    """Two-sided p-value that two samples have one mean."""
    parts = [statistics.variance(sample) / len(sample) for sample in (a, b)]
    if sum(parts) == 0:
        return 1.0 if statistics.mean(a) == statistics.mean(b) else 0.0
    t = (statistics.mean(a) - statistics.mean(b)) / math.sqrt(sum(parts))
    df = sum(parts) ** 2 / sum(part ** 2 / (len(sample) - 1) for part, sample in zip(parts, (a, b)))
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


def holm(values):
    """Adjusted p-values, in the order of the values."""
    ret, most = [0.0] * len(values), 0.0
    for rank, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        most = max(most, min(1.0, values[i] * (len(values) - rank)))
        ret[i] = most
    return ret


def check_statistics():
    """Against tables: t of 2.228 at 10 degrees of freedom leaves 5 %; Holm's own example."""
    assert abs(incomplete_beta(5, 0.5, 10 / (10 + 2.228139 ** 2)) - 0.05) < 1e-6
    assert all(abs(a - b) < 1e-12 for a, b in zip(holm([0.01, 0.04, 0.03]), (0.03, 0.06, 0.06)))


# --- both ---

def compare(model, epochs, options):
    """Our sample and theirs of each figure, and the seconds of both."""
    sets = [*options.set, *([f"train.epochs={epochs}"] if epochs else [])]
    card = os.path.join(options.cards, CARDS[model] + ".cfg")
    samples = {name: ([], []) for name in ranking.METRICS}
    seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        ranking.dump(options.split_dump, card, sets, folder)
        for seed in range(1, options.seeds + 1):
            ours, time_here, text = run_here(options, card, sets, seed)
            theirs, time_there = run_there(model, options, folder, text, seed)
            for side, figures, time in ((0, ours, time_here), (1, theirs, time_there)):
                seconds[side].append(time)
                for name in samples:
                    samples[name][side].append(figures[name])
                print(f"{CARDS[model]} seed {seed}, {('aexp', 'torch')[side]}: {time:.1f} s, "
                      f"{' '.join(f'{figures[name]:.4f}' for name in samples)}", file=sys.stderr, flush=True)
    return {"figures": samples, "seconds": seconds}


def kept(files):
    """What earlier runs left, by model."""
    ret = {}
    for name in files:
        if os.path.exists(name):
            with open(name) as file:
                ret |= json.load(file)
    return ret


def keep(name, model, result):
    """Adds a model to a file of samples."""
    results = kept([name]) | {model: result}
    with open(name, "w") as file:
        json.dump(results, file, indent=1)


def sample_text(sample):
    return f"{statistics.mean(sample):.4f} ({statistics.stdev(sample):.4f})"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("aexp", "split_dump", "cards"):
        parser.add_argument(name)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", default=",".join(CARDS))
    parser.add_argument("--epochs", default="", help="of each model, instead of the card's")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--samples", action="append", default=[], help="new ones go into the last")
    return parser.parse_args()


def main():
    check_statistics()
    options = arguments()
    models = options.models.split(",")
    results = kept(options.samples)
    for model, epochs in zip(models, options.epochs.split(",") if options.epochs else [""] * len(models)):
        if model not in results:
            results[model] = compare(model, epochs, options)
            if options.samples:
                keep(options.samples[-1], model, results[model])
    rows = [(model, name, *pair) for model in models for name, pair in results[model]["figures"].items()]
    adjusted = holm([welch(ours, theirs) for _, _, ours, theirs in rows])
    print("| card | figure | aexp: mean (sd) | PyTorch: mean (sd) | p (Holm) | seconds of training: aexp, PyTorch |")
    print("|---|---|---|---|---|---|")
    for (model, name, ours, theirs), p in zip(rows, adjusted):
        times = "{:.1f}, {:.1f}".format(*map(statistics.median, results[model]["seconds"]))
        print(f"| `{CARDS[model]}` | {name} | {sample_text(ours)} | {sample_text(theirs)} | {p:.2g} | {times} |")
    return 1 if min(adjusted) < LEVEL else 0


if __name__ == "__main__":
    sys.exit(main())
