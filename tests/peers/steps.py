"""What the peers that train step by step share: a small graph trained by the program that optimizers.c becomes, double
precision on both sides, and whether PyTorch comes to the same losses and weights.

Skips (77) where PyTorch is not installed.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("skipped: python3 has no torch")
    sys.exit(77)

STEPS, ROWS, BATCH = 50, 24, 8
TOLERANCE = 1e-9  # of a loss, of itself; of a weight, absolute
DOUBLE = torch.float64


def train_here(program, model, batch=BATCH, times=0):
    """What the program writes for a model file's text, its outputs re-fed `times`: data, initial and final tensors by name, steps."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.cfg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(model)
        text = subprocess.run([program, path, str(STEPS), str(batch), str(times)], check=True, capture_output=True,
                              text=True)
    lines = [json.loads(line) for line in text.stdout.splitlines()]
    tensors = {kind: {line[kind]: torch.tensor(line["data"], dtype=DOUBLE).reshape(line["shape"])
                      for line in lines if kind in line} for kind in ("initial", "final")}
    return lines[0], tensors["initial"], tensors["final"], [line for line in lines if "loss" in line]


def dense_rows(data):
    """(rows, items): the ratings, 0 where none is stored, and whether one is."""
    ratings = torch.zeros(data["rows"], data["items"], dtype=DOUBLE)
    stored = torch.zeros(data["rows"], data["items"], dtype=torch.bool)
    for row, item, value in data["cells"]:
        ratings[row, item] = value
        stored[row, item] = True
    return ratings, stored


def compare(program, model, batch, train_there, label, least=max, times=0):
    """train_there(data, weights, steps) trains copies of the initial weights in place and returns each step's loss. So
    that nothing agrees by standing still, weights must have moved: one of them, or with least=min each."""
    data, initial, final, steps = train_here(program, model, batch, times)
    weights = {name: tensor.clone().requires_grad_() for name, tensor in initial.items()}
    wanted = train_there(data, weights, steps)
    gap = max(abs(step["loss"] - loss) / abs(loss) for step, loss in zip(steps, wanted))
    drift = max((weights[name].detach() - final[name]).abs().max().item() for name in weights)
    moved = least((initial[name] - final[name]).abs().max().item() for name in weights)
    good = len(steps) == len(wanted) == STEPS and gap <= TOLERANCE and drift <= TOLERANCE and moved > 1e-3
    print(f"{'same   ' if good else 'differs'} loss by {gap:.2g}, weight by {drift:.2g}, loss {wanted[0]:.4f} to"
          f" {wanted[-1]:.4f}: {label}")
    return good


def both_paths(cases, check):
    """Every case on the sparse and on the dense path; the exit code."""
    results = [check(sys.argv[1], case, path) for case in cases for path in ("sparse", "dense")]
    return 0 if all(results) else 1
