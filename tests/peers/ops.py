#!/usr/bin/env python3
"""Ops against PyTorch's functions, in double precision on both sides: small graphs trained for 50 steps from the same
weights on the same rows. Fails where a loss or a final weight differs by more than 1e-9 of itself.

What is drawn at random (dropout, mask, noise) is not here: the draws are the program's own.
Skipped (77) where PyTorch is not installed.
Usage: ops.py OPTIMIZERS   (the program that optimizers.c becomes)
"""
import sys

from steps import BATCH, DOUBLE, STEPS, both_paths, compare, dense_rows

import torch
from torch.nn import functional


class Case:
    """A graph as the file says it ({path}: of the nodes that have a choice), and as a function of weights, ratings and
    the rows' places in the data."""

    def __init__(self, name, graph, forward, optimizer='{ kind = "sgd"; rate = 0.5; }', make=None, penalty=None):
        self.name, self.graph, self.forward, self.optimizer, self.batch = name, graph, forward, optimizer, BATCH
        self.make = make or (lambda parameters: torch.optim.SGD(parameters, lr=0.5))
        self.penalty = penalty or (lambda weights: 0)

    def model(self, path):
        return f"graph: ( {self.graph.replace('{path}', path)} );\noptimizer: {self.optimizer};\n"


def dense(w, name, x):
    return x @ w[name + ".weight"] + w[name + ".bias"]


def layer_norm(w, name, x, epsilon):
    return functional.layer_norm(x, x.shape[1:], w[name + ".gamma"].view(-1), w[name + ".beta"].view(-1), epsilon)


OUT = '{ name = "y"; op = "dense"; units = "items"; path = "{path}"; }'


def normalized_rows(w, x, _):
    return dense(w, "y", torch.tanh(dense(w, "h", functional.normalize(x))))


def normalized_units(w, x, _):
    hidden = functional.normalize(torch.tanh(dense(w, "h", x)), eps=0.4)
    return dense(w, "y", functional.normalize(dense(w, "g", hidden)))


def layer_normed(w, x, _):
    hidden = torch.tanh(dense(w, "h", layer_norm(w, "a", x, 0.1)))
    return dense(w, "y", layer_norm(w, "b", hidden, 1e-5))


def gated(w, x, _):
    return dense(w, "y", torch.sigmoid(dense(w, "a", x)) * torch.tanh(dense(w, "b", x)))


def gated_output(w, x, _):
    hidden = torch.tanh(dense(w, "h", x))
    return torch.sigmoid(dense(w, "a", hidden)) * dense(w, "b", hidden)


def squared(w, x, _):
    hidden = dense(w, "h", x)
    return dense(w, "y", hidden * hidden)


def collaborative(w, x, rows):
    own = functional.embedding(rows.place, w["v.weight"]) * rows.trained[:, None]
    return dense(w, "y", torch.sigmoid(dense(w, "h", x) + own))


COLLABORATIVE = ('{ name = "v"; op = "embedding"; units = 5; l2 = %s; },'
                 '{ name = "h"; op = "dense"; input = "ratings"; units = 5; path = "{path}"; },'
                 '{ op = "add"; inputs = [ "v", "h" ]; }, { op = "activation"; activation = "sigmoid"; },' + OUT)

CASES = [
    Case("l2_normalize on ratings",
         '{ op = "l2_normalize"; input = "ratings"; },'
         '{ name = "h"; op = "dense"; units = 5; activation = "tanh"; path = "{path}"; },' + OUT, normalized_rows),
    Case("l2_normalize on units",
         '{ name = "h"; op = "dense"; input = "ratings"; units = 5; activation = "tanh"; path = "{path}"; },'
         '{ op = "l2_normalize"; epsilon = 0.4; }, { name = "g"; op = "dense"; units = 7; }, { op = "l2_normalize"; },'
         + OUT, normalized_units),
    Case("layer_norm",
         '{ name = "a"; op = "layer_norm"; input = "ratings"; epsilon = 0.1; },'
         '{ name = "h"; op = "dense"; units = 5; activation = "tanh"; }, { name = "b"; op = "layer_norm"; },' + OUT,
         layer_normed),
    Case("multiply",
         '{ name = "a"; op = "dense"; input = "ratings"; units = 5; activation = "sigmoid"; path = "{path}"; },'
         '{ name = "b"; op = "dense"; input = "ratings"; units = 5; activation = "tanh"; path = "{path}"; },'
         '{ op = "multiply"; inputs = [ "a", "b" ]; },' + OUT, gated),
    Case("multiply at the output",
         '{ name = "h"; op = "dense"; input = "ratings"; units = 5; activation = "tanh"; path = "{path}"; },'
         '{ name = "a"; op = "dense"; units = "items"; activation = "sigmoid"; path = "{path}"; },'
         '{ name = "b"; op = "dense"; input = "h"; units = "items"; path = "{path}"; },'
         '{ op = "multiply"; inputs = [ "a", "b" ]; }', gated_output),
    Case("multiply of a node with itself",
         '{ name = "h"; op = "dense"; input = "ratings"; units = 5; path = "{path}"; },'
         '{ op = "multiply"; inputs = [ "h", "h" ]; },' + OUT, squared),
    Case("embedding", COLLABORATIVE % "0.0", collaborative),
    Case("embedding with l2", COLLABORATIVE % "0.01", collaborative,
         penalty=lambda weights: 0.01 * (weights["v.weight"] ** 2).sum()),
    Case("embedding by adagrad", COLLABORATIVE % "0.0", collaborative, '{ kind = "adagrad"; rate = 0.1; }',
         lambda parameters: torch.optim.Adagrad(parameters, lr=0.1, eps=1e-10)),
]


class Rows:
    """Places in the data, and whether the rows there have ids of their own: 1 or 0."""

    def __init__(self, place, trained):
        self.place = torch.tensor(place)
        self.trained = torch.tensor([trained[i] for i in place], dtype=DOUBLE)


def train_there(case, data, weights):
    """Trains the tensors in `weights`: the loss of each step."""
    ratings, stored = dense_rows(data)
    optimizer = case.make(list(weights.values()))
    losses = []
    for step in range(STEPS):
        place = [(step * BATCH + i) % data["rows"] for i in range(BATCH)]
        output = case.forward(weights, ratings[place], Rows(place, data["trained"]))
        loss = ((output - ratings[place])[stored[place]] ** 2).mean() + case.penalty(weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def check(program, case, path):
    return compare(program, case.model(path), case.batch, lambda data, weights, _: train_there(case, data, weights),
                   f"{path} {case.name}", least=min)


if __name__ == "__main__":
    sys.exit(both_paths(CASES, check))
