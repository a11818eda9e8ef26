#!/usr/bin/env python3
"""Dense re-feeding against PyTorch, in double precision on both sides, as its authors' program does it (Kuchaiev and
Ginsburg 2017; run.py of NVIDIA/DeepRecommender): the output of a step's own forward pass, detached, is the input and the
target of another step. Fails where a loss or a final weight differs by more than 1e-9 of itself.

Skipped (77) where PyTorch is not installed.
Usage: refeed.py OPTIMIZERS   (the program that optimizers.c becomes)
"""
import sys

from steps import BATCH, STEPS, both_paths, compare, dense_rows

import torch

GRAPH = """graph: (
  {{ name = "h"; op = "dense"; input = "ratings"; units = 6; activation = "selu"; path = "{path}"; }},
  {{ name = "c"; op = "dense"; units = 4; activation = "selu"; }},
  {{ name = "y"; op = "dense"; units = "items"; activation = "selu"; path = "{path}"; }}
);
optimizer: {optimizer};
"""


class Case:
    """Times that an output is re-fed, and an optimizer as the file says it and as PyTorch makes it."""

    def __init__(self, times, text, make, clip_norm=None):
        self.times, self.text, self.make, self.clip_norm = times, text, make, clip_norm


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=0.02, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


CASES = [
    Case(1, '{ kind = "sgd"; rate = 0.02; momentum = 0.9; }', sgd),
    Case(2, '{ kind = "sgd"; rate = 0.02; momentum = 0.9; }', sgd),
    Case(3, '{ kind = "sgd"; rate = 0.02; momentum = 0.9; clip_norm = 0.05; }', sgd, 0.05),
    Case(1, '{ kind = "adam"; rate = 0.01; }', adam),
]


def forward(weights, rows):
    for name in ("h", "c", "y"):
        rows = torch.selu(rows @ weights[f"{name}.weight"] + weights[f"{name}.bias"])
    return rows


def step_on(case, optimizer, weights, rows, stored):
    """One step; its loss and its output, from before it."""
    outputs = forward(weights, rows)
    loss = ((outputs - rows)[stored] ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    if case.clip_norm:
        torch.nn.utils.clip_grad_norm_(weights.values(), case.clip_norm)
    optimizer.step()
    return loss.item(), outputs.detach()


def train_there(case, data, weights):
    """Trains the tensors in `weights`: the loss of each step on data."""
    ratings, stored = dense_rows(data)
    every = torch.ones(BATCH, data["items"], dtype=torch.bool)
    optimizer = case.make(list(weights.values()))
    losses = []
    for step in range(STEPS):
        rows = [(step * BATCH + i) % data["rows"] for i in range(BATCH)]
        loss, outputs = step_on(case, optimizer, weights, ratings[rows], stored[rows])
        losses.append(loss)
        for _ in range(case.times):
            _, outputs = step_on(case, optimizer, weights, outputs, every)
    return losses


def check(program, case, path):
    return compare(program, GRAPH.format(optimizer=case.text, path=path), BATCH,
                   lambda data, weights, _: train_there(case, data, weights),
                   f"{path} re-fed {case.times} times, {case.text}", times=case.times)


if __name__ == "__main__":
    sys.exit(both_paths(CASES, check))
