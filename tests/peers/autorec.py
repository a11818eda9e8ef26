#!/usr/bin/env python3
"""I-AutoRec and U-AutoRec in PyTorch (Sedhain, Menon, Sanner, Xie, WWW 2015) on the parts that split_dump wrote, dense rows and a
mask. Prints JSON: test RMSE over cells, clipped, 3 where the user or the item has no train entry, and the seconds of training.

The objective of a batch: the sum of squared errors at rated cells plus l2 times the sum of squared weights, biases left out.
Adam, its rate a half cosine over the epochs. Ratings of 0 would be taken as missing here: the MovieLens scales have none.
Usage: autorec.py FOLDER --rows items|users [--seed N] [--epochs N] [--batch N] [--rate X] [--beta_2 X] [--l2 X] [--hidden 500,250,500]
"""
import argparse
import json
import math
import sys
import time

import ranking  # ends with 77 without numpy

import numpy as np

try:
    import torch
except ImportError:
    print(f"skipped: {sys.executable} has no torch")
    sys.exit(77)

from torch import nn

LOW, HIGH, UNSEEN = 1.0, 5.0, 3.0


def network(columns, hidden):
    layers, width = [], columns
    for units in hidden:
        layers += [nn.Linear(width, units), nn.Sigmoid()]
        width = units
    layers.append(nn.Linear(width, columns))
    for layer in layers:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def fit(model, train, options):
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate, betas=(0.9, options.beta_2))
    weights = [layer.weight for layer in model if isinstance(layer, nn.Linear)]
    rated = torch.nonzero((train != 0).any(1)).flatten()
    for epoch in range(options.epochs):
        for group in optimizer.param_groups:
            group["lr"] = options.rate * 0.5 * (1 + math.cos(math.pi * epoch / options.epochs))
        for rows in rated[torch.randperm(len(rated))].split(options.batch):
            x = train[rows]
            optimizer.zero_grad()
            loss = (((model(x) - x) * (x != 0)).square()).sum() + options.l2 * sum(w.square().sum() for w in weights)
            loss.backward()
            optimizer.step()


def rmse(model, train, target):
    row, column, value = target
    with torch.inference_mode():
        predicted = model(train).numpy()[row, column]
    seen = (train != 0).numpy()
    unseen = ~(seen.any(axis=1)[row] & seen.any(axis=0)[column])
    predicted = np.clip(np.where(unseen, UNSEEN, predicted).astype(np.float64), LOW, HIGH)
    return float(np.sqrt(np.mean((predicted - value) ** 2)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--rows", choices=("items", "users"), required=True)
    parser.add_argument("--hidden", type=lambda text: [int(n) for n in text.split(",")], default=[500])
    for name, kind, value in (("seed", int, 1), ("epochs", int, 30), ("batch", int, 256), ("threads", int, 2),
                              ("rate", float, 4e-3), ("beta_2", float, 0.95), ("l2", float, 6.33)):
        parser.add_argument(f"--{name}", type=kind, default=value)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    parts = ranking.Parts(options.folder)
    train = torch.from_numpy(parts.dense("train", np.float32))
    user, item, value = parts.entries("test_target")
    target = (user, item, value)
    if options.rows == "items":
        train, target = train.T.contiguous(), (item, user, value)
    model = network(train.shape[1], options.hidden)
    begin = time.perf_counter()
    fit(model, train, options)
    seconds = time.perf_counter() - begin
    json.dump({"rows": options.rows, "seed": options.seed, "torch": torch.__version__, "seconds": seconds,
               "test": {"rmse": rmse(model, train, target)}}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
