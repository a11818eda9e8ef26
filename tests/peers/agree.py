#!/usr/bin/env python3
"""Every way in which the benchmark's PyTorch programs write the network gives the same loss and gradients, dropout off.

A ratio against a program that computes something else is worth nothing. Skipped (77) where PyTorch is not installed.
Usage: agree.py BENCH_DATA EXPERIMENT.cfg [KEY=VALUE...]
"""
import os
import subprocess
import sys
import tempfile

import common  # ends with 77 without PyTorch
import dense
import expert

import torch

HIDDEN, BATCH = 24, 64
TOLERANCE = 1e-5  # of the largest value of each gradient
KINDS = [(expert.bag, expert.all_outputs), (expert.bag, expert.gathered), (expert.product, expert.sampled),
         (expert.scatter, expert.gathered)]


class Options:
    hidden, batch, batch_norm = HIDDEN, BATCH, True

    def __init__(self, all_cells):
        self.all_cells = all_cells


def dense_loss(network, user, rated, all_cells):
    network.zero_grad()
    loss = dense.squared_error(network(user, rated), rated, all_cells)
    loss.backward()
    return loss.item(), [network.taste[0].weight.grad.t(), network.score.weight.grad, network.who[0].weight.grad,
                         network.score.bias.grad]


def expert_loss(like, options, kind, user, cells):
    network = expert.Network(user.shape[1], like.score.out_features, options, *kind)
    with torch.no_grad():
        network.who.load_state_dict(like.who[0].state_dict())
        network.taste.copy_(like.taste[0].weight.t())
        network.taste_bias.copy_(like.taste[0].bias)
        network.score.copy_(like.score.weight)
        network.score_bias.copy_(like.score.bias)
    loss = network.loss(user, *cells)
    loss.backward()
    return loss.item(), [network.taste.grad, network.score.grad, network.who.weight.grad, network.score_bias.grad]


def differs(got, wanted):
    return not (got - wanted).abs().max() <= TOLERANCE * wanted.abs().max()


def main():
    dense.DROPOUT = expert.DROPOUT = 0.0
    program, experiment, *overrides = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.bin")
        subprocess.run([program, "matrices", experiment, path, *overrides], check=True)
        ratings, features = common.read_data(path)
    torch.manual_seed(2017)
    rows = next(common.batches(ratings, BATCH))
    user = features.dense(rows, torch.empty(len(rows), features.columns))
    rated = ratings.dense(rows, torch.empty(len(rows), ratings.columns))
    failed = 0
    for all_cells in (False, True):
        network = dense.Network(features.columns, ratings.columns, HIDDEN, True)
        loss, gradients = dense_loss(network, user, rated, all_cells)
        for kind in KINDS[:1] if all_cells else KINDS:
            other, theirs = expert_loss(network, Options(all_cells), kind, user, ratings.gather(rows))
            bad = not abs(other - loss) <= TOLERANCE * loss or any(map(differs, theirs, gradients))
            failed += bad
            print(f"{kind[0].__name__}, {kind[1].__name__}, all cells {all_cells}: loss {other:.9g}, dense {loss:.9g}"
                  f"{', differs' if bad else ''}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
