#!/usr/bin/env python3
"""A variational autoencoder against the same in PyTorch, in double precision on both sides: the divergence is that of
torch.distributions, the gradients are autograd's, the draws are those that the program made. Trained for 50 steps from
the same weights on the same rows; fails where a loss or a final weight differs by more than 1e-9 of itself.

Skipped (77) where PyTorch is not installed.
Usage: vae.py OPTIMIZERS   (the program that optimizers.c becomes)
"""
import sys

from steps import BATCH, DOUBLE, compare

import torch
from torch.distributions import Normal, kl_divergence

MODEL = """graph: (
  {{ name = "h"; op = "dense"; input = "ratings"; units = 6; activation = "tanh"; path = "{path}"; }},
  {{ name = "m"; op = "dense"; input = "h"; units = 4; }},
  {{ name = "v"; op = "dense"; input = "h"; units = 4; }},
  {{ name = "z"; op = "gaussian"; inputs = [ "m", "v" ]; sd = {sd}; }},
  {{ name = "y"; op = "dense"; units = "items"; activation = "tanh"; }}
);
loss: {{ kind = "mse"; reduction = "{reduction}"; kl: {{ cap = {cap}; steps = {steps}; scale = "{scale}"; }}; }};
optimizer: {{ kind = "adam"; rate = 0.01; }};
"""


class Case:
    def __init__(self, reduction, cap, steps=0, scale="constant", sd=1.0, path="sparse"):
        self.reduction, self.cap, self.steps, self.scale, self.sd, self.path = reduction, cap, steps, scale, sd, path

    def text(self):
        return MODEL.format(**vars(self))

    def beta(self, step):
        return min(self.cap, step / self.steps) if self.steps else self.cap

    def reduce(self, errors, divergence):
        """Squared errors of all cells; divergences of the rows, weighted."""
        rows, items = errors.shape
        scale = {"sum": 1.0, "mean": 1.0 / (rows * items), "row_mean": 1.0 / rows}[self.reduction]
        return (errors.mean(1) if self.reduction == "row_mean" else errors.sum(1)).sum() * scale + divergence.sum() * scale


CASES = [
    Case("sum", 1.0),
    Case("row_mean", 0.2, steps=100),
    Case("mean", 0.5, steps=30, path="dense"),
    Case("row_mean", 0.005, scale="entries"),
    Case("row_mean", 0.2, sd=0.01),
]


def train_there(case, data, weights, steps):
    ratings = torch.zeros(data["rows"], data["items"], dtype=DOUBLE)
    entries = torch.zeros(data["rows"], dtype=DOUBLE)
    for row, item, value in data["cells"]:
        ratings[row, item] = value
        entries[row] += 1
    optimizer = torch.optim.Adam(list(weights.values()), lr=0.01)
    losses = []
    for step, line in enumerate(steps):
        rows = [(step * BATCH + i) % data["rows"] for i in range(BATCH)]
        hidden = torch.tanh(ratings[rows] @ weights["h.weight"] + weights["h.bias"])
        mean = hidden @ weights["m.weight"] + weights["m.bias"]
        deviation = torch.exp(0.5 * (hidden @ weights["v.weight"] + weights["v.bias"]))
        z = mean + torch.tensor(line["noise"], dtype=DOUBLE).reshape(mean.shape) * deviation
        output = torch.tanh(z @ weights["y.weight"] + weights["y.bias"])
        divergence = kl_divergence(Normal(mean, deviation), Normal(0.0, 1.0)).sum(1) * case.beta(step)
        if case.scale == "entries":
            divergence = divergence * entries[rows]
        loss = case.reduce((output - ratings[rows]) ** 2, divergence)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def check(program, case):
    def there(data, weights, steps):
        noise = torch.tensor([number for line in steps for number in line["noise"]], dtype=DOUBLE)
        case.drawn = abs(noise.std().item() / case.sd - 1) < 5 / len(noise) ** 0.5
        return train_there(case, data, weights, steps)

    good = compare(program, case.text(), BATCH, there, str(vars(case)))
    if not case.drawn:
        print(f"differs: the noise's deviation is not {case.sd}")
    return good and case.drawn


def main():
    results = [check(sys.argv[1], case) for case in CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
