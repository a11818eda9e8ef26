#!/usr/bin/env python3
"""fANOVA of `aexp compare SWEEP` against Optuna's FanovaImportanceEvaluator (the same forest on scikit-learn's trees) on the
same trials, of functions with ranges, logarithms, whole numbers, words, and an interaction: single shares within 0.1.

The two differ in how a range is cut (bins here, every value there), and in the draws; Optuna's forest also sees a word as so
many axes of 0 and 1. Optuna takes shares of a range with a logarithmic scale over the plain numbers, aexp over their logarithms:
it is given the logarithms.
Usage: fanova.py AEXP   AEXP_PYTHON names an interpreter that has Optuna and scikit-learn; ends with 77 where there is none
"""
import json
import math
import os
import subprocess
import sys
import tempfile

wanted = os.environ.pop("AEXP_PYTHON", None)
if wanted:
    os.execvp(wanted, [wanted, *sys.argv])
try:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator
    import sklearn  # noqa: F401, the evaluator's forest
    import random
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 0.1
TRIALS = 300


def draw(axis, source):
    kind, *bounds = axis
    if kind == "words":
        return source.choice(bounds)
    low, high = bounds
    if kind == "log":
        return math.exp(source.uniform(math.log(low), math.log(high)))
    return source.randint(low, high) if kind == "integer" else source.uniform(low, high)


FUNCTIONS = {
    "additive": (
        {"a": ("linear", 0.0, 1.0), "b": ("linear", -1.0, 1.0), "c": ("log", 1e-4, 1.0), "d": ("linear", 0.0, 1.0)},
        lambda p: 3 * p["a"] + p["b"] ** 2 + 0.3 * math.log10(p["c"]),
    ),
    "words": (
        {"kind": ("words", "relu", "tanh", "elu"), "units": ("integer", 1, 32), "rate": ("log", 1e-3, 1.0)},
        lambda p: {"relu": 0.0, "tanh": 1.0, "elu": 0.2}[p["kind"]] + p["units"] / 32 + 0.2 * math.log10(p["rate"]),
    ),
    "interaction": (
        {"a": ("linear", 0.0, 1.0), "b": ("linear", 0.0, 1.0), "c": ("linear", 0.0, 1.0)},
        lambda p: p["a"] * p["b"] + 0.1 * p["c"],
    ),
}


def distribution(axis):
    kind, *bounds = axis
    if kind == "words":
        return optuna.distributions.CategoricalDistribution(bounds)
    if kind == "integer":
        return optuna.distributions.IntDistribution(*bounds)
    return optuna.distributions.FloatDistribution(*(math.log(x) if kind == "log" else x for x in bounds))


def axis_json(key, axis):
    kind, *bounds = axis
    if kind == "words":
        return {"key": key, "values": bounds}
    scale = "log" if kind == "log" else "linear"
    return {"key": key, "low": bounds[0], "high": bounds[1], "scale": scale, "integer": kind == "integer"}


def shares_here(aexp, axes, points, values, work):
    folder = os.path.join(work, "made", "5eeb")
    os.makedirs(folder, exist_ok=True)
    trials = [
        {"trial": i + 1, "status": "finished", "id": f"{i:06}", "set": {k: str(v) for k, v in point.items()},
         "objectives": [value], "epochs": 1, "reason": None}
        for i, (point, value) in enumerate(zip(points, values))
    ]
    sweep = {"schema": "aexp.sweep/1", "experiment": "made", "id": "5eeb", "kind": "random", "early_stop": None, "protocol": None,
             "objectives": [{"metric": "valid.rmse", "goal": "min"}], "axes": [axis_json(k, a) for k, a in axes.items()],
             "trials": trials, "counts": {}, "best": [1]}
    with open(os.path.join(folder, "sweep.json"), "w") as file:
        json.dump(sweep, file)
    out = subprocess.run([aexp, "compare", folder, "--json"], check=True, capture_output=True, text=True).stdout
    shares = json.loads(out)["importance"][0]["shares"]
    return {one["keys"][0]: one["share"] for one in shares if len(one["keys"]) == 1}


def shares_there(axes, points, values):
    study = optuna.create_study()
    distributions = {key: distribution(axis) for key, axis in axes.items()}
    for point, value in zip(points, values):
        point = {key: math.log(x) if axes[key][0] == "log" else x for key, x in point.items()}
        study.add_trial(optuna.trial.create_trial(params=point, distributions=distributions, value=value))
    return FanovaImportanceEvaluator(n_trees=64, seed=1).evaluate(study)


def main():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    bad = 0
    for name, (axes, function) in FUNCTIONS.items():
        source = random.Random(1)
        points = [{key: draw(axis, source) for key, axis in axes.items()} for _ in range(TRIALS)]
        values = [function(point) for point in points]
        with tempfile.TemporaryDirectory() as work:
            here = shares_here(sys.argv[1], axes, points, values, work)
        there = shares_there(axes, points, values)
        for key in axes:
            close = abs(here[key] - there[key]) <= TOLERANCE
            bad += not close
            print(f"{name:12} {key:6} here {here[key]:.3f}  Optuna {there[key]:.3f}{'' if close else '  FAR'}")
    sys.exit(bad > 0)


main()
