#!/usr/bin/env python3
"""The seed's graph in PyTorch, double precision, from the same weights, rows and order; dropout is off on both sides.

Follows what `trajectory` writes and fails when the loss of any step differs by more than 1e-5 of itself. Everything here
is PyTorch's own: layers, batch norm, Adadelta. Skipped (77) where PyTorch is not installed.
Usage: trajectory.py TRAJECTORY EXPERIMENT.cfg [KEY=VALUE...]
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

STEPS = 50
TOLERANCE = 1e-5  # of a loss
WEIGHT_TOLERANCE = 1e-4  # of a weight in the end, absolute: single precision over all steps
NO_DROPOUT = ["graph.who2.rate=0", "graph.taste2.rate=0"]
DOUBLE = torch.float64


def trajectory(program, experiment, overrides):
    """Runs `trajectory`: initial and final tensors by name, steps, and the loss of epoch 1 or None."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trajectory.jsonl")
        subprocess.run([program, experiment, str(STEPS), path, *NO_DROPOUT, *overrides], check=True)
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
    tensors = {kind: {line[kind]: torch.tensor(line["data"], dtype=DOUBLE).reshape(line["shape"])
                      for line in lines if kind in line} for kind in ("initial", "final")}
    steps = [line for line in lines if "rows" in line]
    epoch_loss = next((line["epoch_loss"] for line in lines if "epoch_loss" in line), None)
    return tensors["initial"], tensors["final"], steps, epoch_loss


def dense_rows(triples, rows, width):
    """Values, and which cells are stored: a stored 0 counts."""
    values = torch.zeros(rows, width, dtype=DOUBLE)
    stored = torch.zeros(rows, width, dtype=torch.bool)
    for row, column, value in triples:
        values[row, column] = value
        stored[row, column] = True
    return values, stored


def forward(weights, user, ratings):
    who = torch.relu(user @ weights["who.weight"] + weights["who.bias"])
    taste = torch.relu(ratings @ weights["taste.weight"] + weights["taste.bias"])
    norm = torch.nn.functional.batch_norm(taste, None, None, weights["norm.gamma"], weights["norm.beta"], training=True,
                                          eps=1e-3)
    return torch.sigmoid(torch.cat([who, norm], dim=1) @ weights["score.weight"] + weights["score.bias"])


def follow(weights, steps):
    """Trains the tensors in `weights` by the steps' batches; the loss of each step."""
    optimizer = torch.optim.Adadelta(weights.values(), lr=1.0, rho=0.95, eps=1e-8)
    losses = []
    for step in steps:
        rows = len(step["rows"])
        user, _ = dense_rows(step["user"], rows, weights["who.weight"].shape[0])
        ratings, _ = dense_rows(step["ratings"], rows, weights["taste.weight"].shape[0])
        target, stored = dense_rows(step["target"], rows, weights["score.weight"].shape[1])
        loss = ((forward(weights, user, ratings) - target)[stored] ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def check_order(steps, epoch_loss):
    """The order that was followed is the one that a run trains in, where a whole epoch was followed."""
    if epoch_loss is None:
        print("no whole epoch: the order of rows was not held against a run")
        return True
    first = [(step["loss"], len(step["target"])) for step in steps if step["epoch"] == 1]
    mean = sum(loss * cells for loss, cells in first) / sum(cells for _, cells in first)
    print(f"loss of epoch 1: {mean:.12g} by the steps, {epoch_loss:.12g} by a run")
    return abs(mean - epoch_loss) <= 1e-12 * abs(epoch_loss)


def main():
    initial, final, steps, epoch_loss = trajectory(sys.argv[1], sys.argv[2], sys.argv[3:])
    weights = {name: tensor.clone().requires_grad_() for name, tensor in initial.items() if "running" not in name}
    losses = follow(weights, steps)
    gaps = [abs(step["loss"] - loss) / abs(loss) for step, loss in zip(steps, losses)]
    drift = max((weights[name].detach() - final[name]).abs().max().item() for name in weights)
    print(f"{len(steps)} steps, loss {losses[0]:.6f} to {losses[-1]:.6f}")
    print(f"largest relative difference {max(gaps):.3g} in step {gaps.index(max(gaps)) + 1}")
    print(f"largest difference of a weight in the end {drift:.3g}")
    good = len(steps) == STEPS and max(gaps) <= TOLERANCE and drift <= WEIGHT_TOLERANCE
    return 0 if check_order(steps, epoch_loss) and good else 1


if __name__ == "__main__":
    sys.exit(main())
