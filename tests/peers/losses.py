#!/usr/bin/env python3
"""Every loss against PyTorch's own, in double precision on both sides: a small network trained for 50 steps from the
same weights on the same rows and, where they are drawn, the same negatives. Fails where a loss or a final weight differs
by more than 1e-9 of itself.

Skipped (77) where PyTorch is not installed.
Usage: losses.py OPTIMIZERS   (the program that optimizers.c becomes)
"""
import sys

from steps import BATCH, DOUBLE, both_paths, compare

import torch
from torch.nn import functional

GRAPH = """graph: (
  {{ name = "h"; op = "dense"; input = "ratings"; units = 5; activation = "tanh"; path = "{path}"; }},
  {{ name = "y"; op = "dense"; units = "items"; activation = "{activation}"; path = "{output}"; }}
);
optimizer: {{ kind = "sgd"; rate = {rate}; }};
loss: {{ {text} }};
"""


class Case:
    """A loss as the file says it, and as PyTorch makes it of the batch's output before its activation x, targets t and
    which of them are stored, negatives included."""

    def __init__(self, text, loss, activation="identity", all_cells=False, rate=0.1):
        self.text, self.loss, self.activation, self.rate = text, loss, activation, rate
        self.all_cells, self.batch = all_cells, BATCH

    def model(self, path):
        return GRAPH.format(path=path, output="auto" if self.all_cells else path, activation=self.activation,
                            rate=self.rate, text=self.text)


def weighted(x, t, stored):
    return (torch.where(stored, 1 + 2.5 * t, torch.full_like(t, 0.3)) * (x - t) ** 2).mean()


def multinomial(x, t, stored):
    """Over the stored cells; elsewhere the soft-max is 0, and so is the target."""
    return functional.cross_entropy(x.masked_fill(~stored, -1e9), t, reduction="sum") / len(x)


def row_means(x, t, stored):
    rows = [((a - b)[s] ** 2).mean() for a, b, s in zip(x, t, stored) if s.any()]
    return sum(rows) / len(rows)


def cross_entropy(x, t, stored):
    return functional.binary_cross_entropy_with_logits(x[stored], t[stored])


CASES = [
    Case('kind = "masked_mae";', lambda x, t, s: functional.l1_loss(x[s], t[s])),
    Case('kind = "masked_huber"; delta = 0.2;', lambda x, t, s: functional.huber_loss(x[s], t[s], delta=0.2)),
    Case('kind = "masked_bce";', cross_entropy, "sigmoid"),
    Case('kind = "masked_bce"; negatives = 2;', cross_entropy, "sigmoid"),
    Case('kind = "bce"; negatives = 1;', cross_entropy, "sigmoid"),
    Case('kind = "bce";', lambda x, t, s: functional.binary_cross_entropy_with_logits(x, t), "sigmoid",
         True),
    Case('kind = "mse"; reduction = "rows";', lambda x, t, s: ((x - t) ** 2).sum() / len(x), all_cells=True, rate=0.01),
    Case('kind = "mse"; targets = "observed"; reduction = "sum";', lambda x, t, s: ((x - t)[s] ** 2).sum(), rate=0.01),
    Case('kind = "masked_mse"; reduction = "row_mean"; negatives = 1;', row_means),
    Case('kind = "weighted_mse"; unobserved = 0.3; alpha = 2.5;', weighted, all_cells=True),
    Case('kind = "multinomial";', lambda x, t, s: functional.cross_entropy(x, t, reduction="sum") / len(x),
         all_cells=True),
    Case('kind = "multinomial"; reduction = "sum";', lambda x, t, s: functional.cross_entropy(x, t, reduction="sum"),
         "tanh", True, rate=0.01),
    Case('kind = "multinomial"; targets = "observed";', multinomial),
    Case('kind = "multinomial"; negatives = 1;', multinomial),
]


def train_there(case, data, steps, weights):
    """Trains the tensors in `weights`: the loss of each step."""
    ratings = torch.zeros(data["rows"], data["items"], dtype=DOUBLE)
    for row, item, value in data["cells"]:
        ratings[row, item] = value
    losses = []
    for number, step in enumerate(steps):
        rows = [(number * case.batch + i) % data["rows"] for i in range(case.batch)]
        target = torch.zeros(case.batch, data["items"], dtype=DOUBLE)
        stored = torch.zeros(case.batch, data["items"], dtype=torch.bool)
        for row, item, value in step["target"]:
            target[row, item] = value
            stored[row, item] = True
        hidden = torch.tanh(ratings[rows] @ weights["h.weight"] + weights["h.bias"])
        x = hidden @ weights["y.weight"] + weights["y.bias"]
        loss = case.loss(torch.tanh(x) if case.activation == "tanh" else x, target, stored)
        gradients = torch.autograd.grad(loss, list(weights.values()))
        with torch.no_grad():
            for weight, gradient in zip(weights.values(), gradients):
                weight -= case.rate * gradient
        losses.append(loss.item())
    return losses


def check(program, case, path):
    return compare(program, case.model(path), case.batch,
                   lambda data, weights, steps: train_there(case, data, steps, weights), f"{path} {case.text}")


if __name__ == "__main__":
    sys.exit(both_paths(CASES, check))
