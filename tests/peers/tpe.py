#!/usr/bin/env python3
"""Strategy tpe against Optuna's TPESampler with its defaults: three standard functions and a mixed one whose least value is known (tpe_play.c), the same
number of trials one after the other, many seeds. Prints the medians of the differences from the least value and the ratio
of the two (aexp over Optuna) with its 95 % interval by the bootstrap over seeds; exit 1 where a ratio is shown to be above 1.2:
its interval lies above.

Usage: tpe.py TPE_PLAY [--seeds N] [--trials N]
"""
import argparse
import importlib.util
import math
import random
import statistics
import subprocess
import sys

if not importlib.util.find_spec("optuna"):
    print(f"skipped: {sys.executable} has no optuna")
    sys.exit(77)
import optuna

BOUND, RESAMPLES = 1.2, 10000
ALPHA = [1, 1.2, 3, 3.2]
A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
     [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]


def branin(trial):
    x, y = trial.suggest_float("a", -5, 10), trial.suggest_float("b", 0, 15)
    a = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return a * a + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.39788735772973816


def hartmann(trial):
    x = [trial.suggest_float(name, 0, 1) for name in "abcdef"]
    return 3.3223680114155152 - sum(alpha * math.exp(-sum(a * (v - p)**2 for a, v, p in zip(row, x, at)))
                                    for alpha, row, at in zip(ALPHA, A, P))


def rosenbrock(trial):
    x = [trial.suggest_float(name, -2.048, 2.048) for name in "abc"]
    return sum(100 * (x[i + 1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(2))


def mixed(trial):
    rate = math.log10(trial.suggest_float("a", 1e-6, 1, log=True)) + 3
    units = (trial.suggest_int("b", 1, 200) - 40) / 30
    kind = trial.suggest_categorical("c", [0, 1, 2])
    return rate * rate + units * units + [1, 0, 0.5][kind] + (0.3 * rate if kind == 2 else 0)


def play(function, trials, seed):
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(function, n_trials=trials)
    return study.best_value


def ratio_interval(ours, theirs):
    """Of the ratio of medians, the two sides resampled each for itself."""
    draw = random.Random(2017)
    ratios = sorted(statistics.median(draw.choices(ours, k=len(ours))) / statistics.median(draw.choices(theirs, k=len(theirs)))
                    for _ in range(RESAMPLES))
    return ratios[int(0.025 * RESAMPLES)], ratios[int(0.975 * RESAMPLES)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("play")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--trials", type=int, default=100)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(f"{options.trials} trials, {options.seeds} seeds, Optuna {optuna.__version__}\n")
    print("| function | random | aexp tpe | Optuna | aexp / Optuna | 95 % |\n|---|---|---|---|---|---|")
    worse = False
    for function in (branin, hartmann, rosenbrock, mixed):
        def here(strategy):
            said = subprocess.run([options.play, strategy, function.__name__, str(options.trials), str(options.seeds)],
                                  check=True, stdout=subprocess.PIPE, text=True).stdout
            return [float(line) for line in said.split()]
        chance, ours = here("random"), here("tpe")
        theirs = [play(function, options.trials, seed) for seed in range(1, options.seeds + 1)]
        low, high = ratio_interval(ours, theirs)
        worse |= low > BOUND
        medians = [statistics.median(values) for values in (chance, ours, theirs)]
        print(f"| {function.__name__} | {medians[0]:.4g} | {medians[1]:.4g} | {medians[2]:.4g} | {medians[1] / medians[2]:.3f} | "
              f"{low:.3f} to {high:.3f} |", flush=True)
    sys.exit(1 if worse else 0)


main()
