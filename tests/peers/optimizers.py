#!/usr/bin/env python3
"""Every optimizer against PyTorch's own, in double precision on both sides: a small network trained for 50 steps from
the same weights on the same rows. Fails where a loss or a final weight differs by more than 1e-9 of itself.

Skipped (77) where PyTorch is not installed.
Usage: optimizers.py OPTIMIZERS   (the program that optimizers.c becomes)
"""
import sys

from steps import BATCH, ROWS, STEPS, both_paths, compare, dense_rows

import torch

GRAPH = """graph: (
  {{ name = "h"; op = "dense"; input = "ratings"; units = 5; activation = "tanh"; l2 = {l2}; path = "{path}"; }},
  {{ name = "y"; op = "dense"; units = "items"; activation = "sigmoid"; l2_bias = {l2_bias}; path = "{path}";
    {own} }}
);
optimizer: {optimizer};
"""


class Case:
    """An optimizer as the file says it, and as PyTorch makes it from the parameters."""

    def __init__(self, text, make, batch=BATCH, l2=0.0, l2_bias=0.0, warmup=0, clip=lambda weights: None, tie=False):
        self.text, self.make, self.batch, self.l2, self.l2_bias = text, make, batch, l2, l2_bias
        self.warmup, self.clip, self.tie = warmup, clip, tie

    def model(self, path):
        own = 'tie = "h";' if self.tie else f"l2 = {self.l2};"
        return GRAPH.format(optimizer=self.text, path=path, l2=self.l2, l2_bias=self.l2_bias, own=own)


def sgd(**options):
    return lambda parameters: torch.optim.SGD(parameters, **options)


def clip(norm=None, value=None):
    """Of the gradients, once they are there."""
    def run(weights):
        if norm:
            torch.nn.utils.clip_grad_norm_(weights, norm)
        if value:
            torch.nn.utils.clip_grad_value_(weights, value)
    return run


CASES = [
    Case('{ kind = "sgd"; rate = 0.5; }', sgd(lr=0.5)),
    Case('{ kind = "sgd"; rate = 0.5; }', sgd(lr=0.5), l2=0.01),
    Case('{ kind = "sgd"; rate = 0.2; momentum = 0.9; }', sgd(lr=0.2, momentum=0.9)),
    Case('{ kind = "adagrad"; rate = 0.1; }', lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-10)),
    Case('{ kind = "rmsprop"; rate = 0.01; }', lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-7)),
    Case('{ kind = "adadelta"; }', lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.95, eps=1e-8)),
    Case('{ kind = "adam"; rate = 0.01; }', lambda p: torch.optim.Adam(p, lr=0.01)),
    Case('{ kind = "adam"; rate = 0.01; }', lambda p: torch.optim.Adam(p, lr=0.01), l2=0.01),
    Case('{ kind = "adamw"; rate = 0.01; }', lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.01)),
    Case('{ kind = "adamw"; rate = 0.01; weight_decay = 0.5; }',
         lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.5), l2=0.01),
    Case('{ kind = "adamw"; rate = 0.01; schedule: { kind = "constant"; warmup = 20; }; }',
         lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.01), warmup=20),
    Case('{ kind = "sgd"; rate = 0.5; schedule: { kind = "constant"; warmup = 20; }; }', sgd(lr=0.5), l2=0.01, warmup=20),
    Case('{ kind = "sgd"; rate = 0.5; }', sgd(lr=0.5), l2_bias=0.02),
    Case('{ kind = "adam"; rate = 0.01; }', lambda p: torch.optim.Adam(p, lr=0.01), l2_bias=0.02),
    Case('{ kind = "sgd"; rate = 0.5; clip_norm = 0.05; }', sgd(lr=0.5), clip=clip(norm=0.05)),
    Case('{ kind = "sgd"; rate = 0.2; momentum = 0.9; clip_value = 0.002; }', sgd(lr=0.2, momentum=0.9),
         clip=clip(value=0.002)),
    Case('{ kind = "adam"; rate = 0.01; clip_norm = 0.05; clip_value = 0.01; }', lambda p: torch.optim.Adam(p, lr=0.01),
         clip=clip(0.05, 0.01)),
    Case('{ kind = "sgd"; rate = 0.2; momentum = 0.9; }', sgd(lr=0.2, momentum=0.9), tie=True),
    Case('{ kind = "sgd"; rate = 0.5; }', sgd(lr=0.5), l2=0.01, tie=True),
    Case('{ kind = "adam"; rate = 0.01; }', lambda p: torch.optim.Adam(p, lr=0.01), l2=0.01, tie=True),
    Case('{ kind = "adadelta"; clip_norm = 0.05; }', lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.95, eps=1e-8),
         clip=clip(0.05), tie=True),
    Case('"rprop"', torch.optim.Rprop, ROWS),
    Case('{ kind = "rprop"; rate = 0.1; smaller = 0.4; larger = 1.5; least = 0.01; most = 0.3; }',
         lambda p: torch.optim.Rprop(p, lr=0.1, etas=(0.4, 1.5), step_sizes=(0.01, 0.3)), ROWS),
]


def forward(weights, ratings):
    hidden = torch.tanh(ratings @ weights["h.weight"] + weights["h.bias"])
    score = weights["y.weight"] if "y.weight" in weights else weights["h.weight"].T
    return torch.sigmoid(hidden @ score + weights["y.bias"])


def train_there(case, data, weights):
    """Trains the tensors in `weights`: the loss of each step."""
    ratings, stored = dense_rows(data)
    optimizer = case.make(list(weights.values()))
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: min(1, (done + 1) / max(1, case.warmup)))
    losses = []
    for step in range(STEPS):
        rows = [(step * case.batch + i) % data["rows"] for i in range(case.batch)]
        loss = ((forward(weights, ratings[rows]) - ratings[rows])[stored[rows]] ** 2).mean()
        loss = loss + case.l2 * sum((w ** 2).sum() for name, w in weights.items() if name.endswith(".weight"))
        loss = loss + case.l2_bias * (weights["y.bias"] ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        case.clip(list(weights.values()))
        optimizer.step()
        rate.step()
        losses.append(loss.item())
    return losses


def check(program, case, path):
    return compare(program, case.model(path), case.batch, lambda data, weights, _: train_there(case, data, weights),
                   f"{path} {case.text} l2 {case.l2}{' tied' if case.tie else ''}")


if __name__ == "__main__":
    sys.exit(both_paths(CASES, check))
