#!/usr/bin/env python3
"""EASE, item k-nearest neighbours and popularity in numpy, double precision, on the same split: the program's figures must be
the same within 1e-4. One user whose order turns at a tie of single precision is well within that.

EASE: Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, its equation 8. Item-kNN: cosine similarities, the
nearest of each item. Popularity: the number of train entries.
Usage: closed.py AEXP SPLIT_DUMP EXPERIMENT.cfg [KEY=VALUE...]   (an experiment without a model; it is given each in turn)
"""
import sys
import tempfile

import ranking  # ends with 77 without numpy

import numpy as np

TOLERANCE = 1e-4
EASE_L2, NEIGHBOURS = 200.0, 40


def ease(train):
    """(items, items), for x @ B."""
    inverse = np.linalg.inv(train.T @ train + EASE_L2 * np.eye(train.shape[1]))
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0)
    return weights


def item_knn(train):
    gram = train.T @ train
    norms = np.sqrt(np.diag(gram))
    product = norms[:, None] * norms[None, :]
    similarity = np.divide(gram, product, out=np.zeros_like(gram), where=product > 0)
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=0, kind="stable")[:NEIGHBOURS]
    weights = np.zeros_like(gram)
    np.put_along_axis(weights, nearest, np.take_along_axis(similarity, nearest, axis=0), axis=0)
    return weights


def popularity(train):
    return (train != 0).sum(axis=0).astype(np.float64)


MODELS = {"ease": [f"model.l2={EASE_L2}"], "item_knn": [f"model.neighbours={NEIGHBOURS}"], "popularity": []}


def scorer(model, train, shown):
    if model == "popularity":
        counts = popularity(train)
        return lambda users: np.tile(counts, (len(users), 1))
    weights = {"ease": ease, "item_knn": item_knn}[model](train)
    return lambda users: shown[users] @ weights


def compare(model, aexp, experiment, overrides, parts):
    """The number of figures that differ."""
    train = parts.dense("train")
    metrics, *_ = ranking.run_aexp(aexp, experiment, [*overrides, f"model.kind={model}", *MODELS[model]])
    bad = 0
    for part in ("valid", "test"):
        shown = parts.dense(f"{part}_input")
        ours = ranking.figures(scorer(model, train, shown), shown, parts.dense(f"{part}_target"))
        for name, value in ours.items():
            theirs = metrics["final"][part][name]
            differs = not abs(theirs - value) <= TOLERANCE
            bad += differs
            print(f"{model} {part} {name}: aexp {theirs:.6f}, numpy {value:.6f}{', differs' if differs else ''}")
    return bad


def main():
    aexp, program, experiment, *overrides = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        parts = ranking.dump(program, experiment, ["model.kind=popularity", *overrides], folder)
        bad = sum([compare(model, aexp, experiment, overrides, parts) for model in MODELS])
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
