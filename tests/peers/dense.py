#!/usr/bin/env python3
"""The benchmark's network in PyTorch as a Keras user would write it: each batch a dense block of the rating matrix, every
item predicted, the loss masked; modules, autograd and torch.optim.Adadelta. Prints JSON; see common.py.

Variants: the optimizer's loop over tensors or its `foreach` form; with torch.compile where a C++ compiler is found.
"""
import common
from common import DROPOUT, EPSILON, RATE, RHO, USER_UNITS

import torch
from torch import nn


class Network(nn.Module):
    def __init__(self, features, items, hidden, batch_norm):
        super().__init__()
        self.who = nn.Sequential(nn.Linear(features, USER_UNITS), nn.ReLU(inplace=True), nn.Dropout(DROPOUT))
        norm = [nn.BatchNorm1d(hidden)] if batch_norm else []
        self.taste = nn.Sequential(nn.Linear(items, hidden), nn.ReLU(inplace=True), *norm, nn.Dropout(DROPOUT))
        self.score = nn.Linear(USER_UNITS + hidden, items)

    def forward(self, user, ratings):
        return torch.sigmoid(self.score(torch.cat([self.who(user), self.taste(ratings)], 1)))


def squared_error(predicted, ratings, all_cells):
    """Over rated cells alone, or over all of them. No value of the benchmark's ratings is 0: the mask is what is not 0."""
    if all_cells:
        return nn.functional.mse_loss(predicted, ratings)
    mask = (ratings != 0).to(ratings.dtype)
    return ((predicted - ratings).square() * mask).sum() / mask.sum()


def step_maker(options, ratings, features, foreach, compiled):
    def make():
        network = Network(features.columns, ratings.columns, options.hidden, options.batch_norm)
        optimizer = torch.optim.Adadelta(network.parameters(), lr=RATE, rho=RHO, eps=EPSILON, foreach=foreach)
        room = torch.empty(options.batch, ratings.columns)

        def loss_of(user, rated):
            return squared_error(network(user, rated), rated, options.all_cells)

        loss_in_use = torch.compile(loss_of, dynamic=False) if compiled else loss_of
        update = torch.compile(optimizer.step) if compiled else optimizer.step

        def step(rows):
            user = features.dense(rows, torch.empty(len(rows), features.columns))
            optimizer.zero_grad()
            loss_in_use(user, ratings.dense(rows, room[:len(rows)])).backward()
            update()

        return step
    return make


def main():
    options = common.arguments(__doc__)
    ratings, features = common.read_data(options.data)
    makers = {"loop": step_maker(options, ratings, features, False, False),
              "foreach": step_maker(options, ratings, features, True, False)}
    if options.compile:
        makers["compiled"] = step_maker(options, ratings, features, True, True)
    common.measure(options, ratings, makers)


if __name__ == "__main__":
    main()
