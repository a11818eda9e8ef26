#!/usr/bin/env python3
"""The benchmark's network in PyTorch as an expert would write it: sparse rows in, and no more outputs than are needed.
Prints JSON; see common.py.

Variants, `dense_output` and its kin compute every output, the others the rated cells alone:
  dense_output        embedding_bag with weights; all outputs by one product; the loss on those picked by index_select
  gathered            embedding_bag; hidden rows and output rows gathered by index_select, multiplied and summed
  sampled             compressed sparse rows times a matrix; outputs by torch.sparse.sampled_addmm
  *_compiled          the same whole forward pass, and its gradient, by torch.compile
  scattered_compiled  as gathered_compiled, the input a gather and an index_add, so that all of it compiles
torch.optim.Adadelta takes no sparse gradients, and its average decays in every row at every step: the update is dense.
Its `foreach` form or the compiled one is taken, whichever is faster here.
"""
import time
import warnings

import common
from common import DROPOUT, EPSILON, RATE, RHO, USER_UNITS

import torch
from torch import nn
from torch.nn import functional

warnings.filterwarnings("ignore", message="Sparse ")


def bag(weight, offsets, place, column, value):
    return functional.embedding_bag(column, weight, offsets[:-1], mode="sum", per_sample_weights=value)


def product(weight, offsets, place, column, value):
    rows = torch.sparse_csr_tensor(offsets, column, value, (len(offsets) - 1, weight.shape[0]))
    return torch.sparse.mm(rows, weight)


def scatter(weight, offsets, place, column, value):
    zero = torch.zeros(len(offsets) - 1, weight.shape[1])
    return zero.index_add(0, place, weight.index_select(0, column) * value[:, None])


def all_outputs(hidden, weight, bias, offsets, place, column):
    outputs = functional.linear(hidden, weight, bias)
    return outputs.view(-1).index_select(0, place * weight.shape[0] + column)


def gathered(hidden, weight, bias, offsets, place, column):
    return (hidden.index_select(0, place) * weight.index_select(0, column)).sum(1) + bias.index_select(0, column)


def sampled(hidden, weight, bias, offsets, place, column):
    cells = torch.sparse_csr_tensor(offsets, column, torch.zeros(len(column)), (len(hidden), len(weight)))
    product_at_cells = torch.sparse.sampled_addmm(cells, hidden, weight.t(), beta=0.0)
    return product_at_cells.values() + bias.index_select(0, column)


class Network(nn.Module):
    """Item weights are (items, units): a row is an item, for the input and for the output."""

    def __init__(self, features, items, options, read, predict):
        super().__init__()
        width = USER_UNITS + options.hidden
        self.read, self.predict, self.all_cells = read, predict, options.all_cells
        self.who = nn.Linear(features, USER_UNITS)
        self.taste = nn.Parameter(torch.randn(items, options.hidden) * 0.05)
        self.taste_bias = nn.Parameter(torch.zeros(options.hidden))
        self.norm = nn.BatchNorm1d(options.hidden) if options.batch_norm else nn.Identity()
        self.score = nn.Parameter(torch.randn(items, width) * 0.05)
        self.score_bias = nn.Parameter(torch.zeros(items))

    def loss(self, user, offsets, place, column, value):
        who = functional.dropout(torch.relu(self.who(user)), DROPOUT)
        read = self.read(self.taste, offsets, place, column, value)
        taste = functional.dropout(self.norm(torch.relu(read + self.taste_bias)), DROPOUT)
        hidden = torch.cat([who, taste], 1)
        if self.all_cells:
            return self.loss_of_all(hidden, place, column, value)
        outputs = self.predict(hidden, self.score, self.score_bias, offsets, place, column)
        return (torch.sigmoid(outputs) - value).square().mean()

    def loss_of_all(self, hidden, place, column, value):
        outputs = torch.sigmoid(functional.linear(hidden, self.score, self.score_bias))
        target = torch.zeros_like(outputs)
        target.view(-1)[place * target.shape[1] + column] = value
        return functional.mse_loss(outputs, target)


def time_update(update, repeats=20):
    best = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        update()
        best = min(best, time.perf_counter() - begin)
    return best


def fastest_update(parameters, compiled):
    """A step of Adadelta over gradients that are all there, the fastest of its forms on this machine."""
    def create():
        return torch.optim.Adadelta(parameters, lr=RATE, rho=RHO, eps=EPSILON, foreach=True)

    forms = [create().step] + ([torch.compile(create().step)] if compiled else [])
    for p in parameters:
        p.grad = torch.zeros_like(p)
    return min(forms, key=lambda form: (form(), form(), time_update(form))[2])


def step_maker(options, ratings, features, read, predict, compiled):
    user_rows = features.dense(torch.arange(len(features.count)), torch.empty(len(features.count), features.columns))

    def make():
        network = Network(features.columns, ratings.columns, options, read, predict)
        loss = torch.compile(network.loss, dynamic=True) if compiled else network.loss
        parameters = list(network.parameters())
        update = fastest_update(parameters, options.compile)

        def step(rows):
            for p in parameters:
                p.grad = None
            loss(user_rows.index_select(0, rows), *ratings.gather(rows)).backward()
            update()

        return step
    return make


def main():
    options = common.arguments(__doc__)
    ratings, features = common.read_data(options.data)
    kinds = {"dense_output": (bag, all_outputs)}
    if not options.all_cells:
        kinds |= {"gathered": (bag, gathered), "sampled": (product, sampled)}
    makers = {name: step_maker(options, ratings, features, *kind, False) for name, kind in kinds.items()}
    if options.compile:
        kinds.pop("sampled", None)
        if not options.all_cells:
            kinds["scattered"] = (scatter, gathered)
        makers |= {name + "_compiled": step_maker(options, ratings, features, *kind, True) for name, kind in kinds.items()}
    common.measure(options, ratings, makers)


if __name__ == "__main__":
    main()
