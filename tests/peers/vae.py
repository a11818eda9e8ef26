#!/usr/bin/env python3
"""Variational autoencoders against the same in PyTorch, in double precision on both sides: the divergence is that of
torch.distributions, for RecVAE's composite prior log q - log p of the draw; the gradients are autograd's, the draws are those
that the program made. Encoder and decoder learn together, or in turns with an optimizer each. Trained for 50 steps from
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
  {{ name = "z"; op = "gaussian"; inputs = [ "m", "v" ]; sd = {sd}; prior = {prior}; }},
  {{ name = "y"; op = "dense"; units = "items"; activation = "tanh"; }}
);
loss: {{ kind = "mse"; reduction = "{reduction}"; kl: {{ cap = {cap}; steps = {steps}; scale = "{scale}"; }}; }};
optimizer: {{ kind = "adam"; rate = 0.01; }};
{tail}
"""
TURNS = (("h", "m", "v"), 3), (("y",), 1)  # who learns, for how many steps
COMPOSITE = (0.15, 0.75, 0.1), 10.0


class Case:
    def __init__(self, reduction, cap, steps=0, scale="constant", sd=1.0, path="sparse", composite=None, turns=()):
        self.reduction, self.cap, self.steps, self.scale, self.sd, self.path = reduction, cap, steps, scale, sd, path
        self.composite, self.turns = composite, turns
        self.prior, self.tail = '"standard"', ""
        if composite:
            self.prior = f'{{ kind = "composite"; weights = {list(composite[0])}; wide = {composite[1]}; }}'
        if turns:
            phases = ", ".join(f"{{ nodes = {list(nodes)}; epochs = {epochs}; }}" for nodes, epochs in turns)
            self.tail = f"alternate: ( {phases} );".replace("'", '"')

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
    Case("row_mean", 0.2, steps=100, turns=TURNS),
    Case("row_mean", 0.3, composite=COMPOSITE),
    Case("row_mean", 0.05, scale="entries", composite=COMPOSITE, turns=TURNS),
    Case("sum", 1.0, sd=0.5, composite=((0.5, 0.5, 0.0), 1.0), turns=TURNS[::-1], path="dense"),
]


class Learning:
    """An optimizer for each turn, or one for all; the encoder of the last turn."""

    def __init__(self, case, weights):
        named = lambda nodes: [w for name, w in weights.items() if name.split(".")[0] in nodes]
        self.weights, self.turns = weights, case.turns or ((("h", "m", "v", "y"), 1),)
        self.optimizers = [torch.optim.Adam(named(nodes), lr=0.01) for nodes, _ in self.turns]
        self.order = [i for i, (_, count) in enumerate(self.turns) for _ in range(count)]

    def step(self, step, loss):
        turn, after = (self.order[(step + i) % len(self.order)] for i in (0, 1))
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        self.optimizers[turn].step()
        if turn != after or len(self.turns) == 1:
            for name, weight in self.weights.items():
                node, suffix = name.split(".")
                if node.endswith("(old)"):
                    weight.data.copy_(self.weights[f"{node[:-len('(old)')]}.{suffix}"].data)


def encode(weights, rows, age=""):
    """Mean and standard deviation."""
    def dense(x, name):
        return x @ weights[f"{name}{age}.weight"] + weights[f"{name}{age}.bias"]

    hidden = torch.tanh(dense(rows, "h"))
    return dense(hidden, "m"), torch.exp(0.5 * dense(hidden, "v"))


def divergence_of(case, weights, rows, q, z):
    if not case.composite:
        return kl_divergence(q, Normal(0.0, 1.0))
    with torch.no_grad():
        old = Normal(*encode(weights, rows, "(old)"))
    shares, wide = case.composite
    parts = Normal(0.0, 1.0), old, Normal(0.0, torch.tensor(0.5 * wide, dtype=DOUBLE).exp())
    prior = [torch.tensor(share, dtype=DOUBLE).log() + p.log_prob(z) for share, p in zip(shares, parts)]
    return q.log_prob(z) - torch.logsumexp(torch.stack(prior), 0)


def train_there(case, data, weights, steps):
    ratings = torch.zeros(data["rows"], data["items"], dtype=DOUBLE)
    entries = torch.zeros(data["rows"], dtype=DOUBLE)
    for row, item, value in data["cells"]:
        ratings[row, item] = value
        entries[row] += 1
    learning, losses = Learning(case, weights), []
    for step, line in enumerate(steps):
        rows = [(step * BATCH + i) % data["rows"] for i in range(BATCH)]
        mean, deviation = encode(weights, ratings[rows])
        z = mean + torch.tensor(line["noise"], dtype=DOUBLE).reshape(mean.shape) * deviation
        output = torch.tanh(z @ weights["y.weight"] + weights["y.bias"])
        divergence = divergence_of(case, weights, ratings[rows], Normal(mean, deviation), z).sum(1) * case.beta(step)
        if case.scale == "entries":
            divergence = divergence * entries[rows]
        loss = case.reduce((output - ratings[rows]) ** 2, divergence)
        learning.step(step, loss)
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
