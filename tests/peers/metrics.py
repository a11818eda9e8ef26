#!/usr/bin/env python3
"""Every metric of src/eval against its definition in numpy, and where scikit-learn is there against that too: on random cells and
rankings with ties, users without a relevant item, users of one class alone, fewer candidates than k. Equal to 1e-12.

Usage: metrics.py PROGRAM [ROUNDS]   PROGRAM: metrics.c. Without numpy the test is skipped (77). AEXP_PYTHON names an interpreter
that has it, where python3 has not.
"""
import os
import subprocess
import sys

if os.environ.get("AEXP_PYTHON"):
    wanted = os.environ.pop("AEXP_PYTHON")
    os.execv(wanted, [wanted, *sys.argv])

try:
    import numpy as np
except ImportError:
    print(f"skipped: {sys.executable} has no numpy")
    sys.exit(77)
try:
    from sklearn import metrics as sk
except ImportError:
    sk = None

TOLERANCE = 1e-12
compared = {}


def ask(program, words):
    text = " ".join(map(str, words))
    out = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def hold(what, got, wanted, peer="numpy"):
    same = (np.isnan(got) and np.isnan(wanted)) or abs(got - wanted) <= TOLERANCE * max(1, abs(wanted))
    compared.setdefault((what.split("@")[0], peer), []).append(abs(got - wanted) if not np.isnan(wanted) else 0.0)
    if not same:
        print(f"{what}: {got!r}, by {peer} {wanted!r}")
        hold.failed = True


hold.failed = False


# --- over cells ---

def pairs_auc(score, positive):
    """Over all pairs of one of each class, counted out."""
    if positive.all() or not positive.any():
        return np.nan
    above = score[positive][:, None] - score[~positive][None, :]
    return ((above > 0).sum() + 0.5 * (above == 0).sum()) / above.size


def nearest(levels, values):
    """Of two that are equally near the lower one: argmin takes the first."""
    return np.abs(values[:, None] - levels[None, :]).argmin(axis=1)


def cells_by_definition(p, t, liked, levels):
    p, t = p.astype(np.float64), t.astype(np.float64)
    error = p - t
    return {"mse": np.mean(error * error), "rmse": np.sqrt(np.mean(error * error)), "mae": np.mean(np.abs(error)),
            "accuracy": np.mean(nearest(levels, p) == nearest(levels, t)), "auc": pairs_auc(p, liked)}


def check_cells(program, rng, kind):
    count, levels = int(rng.integers(1, 900)), np.array([0.5, 1.5, 2.5, 4.0])
    t = rng.choice(levels, count).astype(np.float32)
    p = (t + rng.normal(0, 1, count)).astype(np.float32)
    if kind == "ties":
        p = (np.round(p * 2) / 2).astype(np.float32)
    liked = {"one class": np.ones(count, bool), "other class": np.zeros(count, bool)}.get(kind, t > 2)
    rows = [word for i in range(count) for word in (repr(float(p[i])), repr(float(t[i])), int(liked[i]))]
    got = ask(program, ["cells", count, len(levels), *levels, *rows])
    for name, value in cells_by_definition(p, t, liked, levels).items():
        hold(name, got.pop(name), value)
    assert not got, f"not compared: {got}"
    if sk:
        got = ask(program, ["cells", count, len(levels), *levels, *rows])
        wide, wider = t.astype(np.float64), p.astype(np.float64)
        hold("mse", got["mse"], sk.mean_squared_error(wide, wider), "scikit-learn")
        hold("mae", got["mae"], sk.mean_absolute_error(wide, wider), "scikit-learn")
        hold("accuracy", got["accuracy"], sk.accuracy_score(nearest(levels, wide), nearest(levels, wider)), "scikit-learn")
        if liked.any() and not liked.all():
            hold("auc", got["auc"], sk.roc_auc_score(liked, wider), "scikit-learn")


# --- over rankings ---

def user_by_definition(order, relevant, score, surprise, k):
    """order: candidates, the best first; relevant: a set of them that is not empty."""
    hits = np.array([item in relevant for item in order[:k]], float)
    m, total = min(k, len(relevant)), len(relevant)
    gain = 1 / np.log2(np.arange(max(len(hits), m)) + 2)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    first = np.nonzero(hits)[0]
    candidates = np.array(order)
    return {"ndcg": (hits * gain[:len(hits)]).sum() / gain[:m].sum(), "recall": hits.sum() / total, "precision": hits.sum() / k,
            "map": (hits * precision).sum() / m, "mrr": 1 / (first[0] + 1) if len(first) else 0.0, "hit": float(hits.any()),
            "recall_capped": hits.sum() / m, "novelty": np.mean(surprise[candidates[:k]]),
            "user_auc": pairs_auc(score[candidates], np.isin(candidates, list(relevant)))}


def lists_by_definition(lists, items):
    times = np.sort(np.bincount(np.concatenate(lists), minlength=items)).astype(np.float64)
    place = np.arange(1, items + 1)
    return {"coverage": np.count_nonzero(times) / items,
            "gini": ((2 * place - items - 1) * times).sum() / (items * times.sum())}


def make_user(rng, items, kind):
    score = rng.normal(0, 1, items).astype(np.float32)
    if kind == "ties":
        score = np.round(score).astype(np.float32)
    target = rng.choice(items, int(rng.integers(0, items // 2 + 1)), replace=False)
    liked = rng.random(len(target)) < 0.5
    draw = rng.random()
    if draw < 0.15:
        liked[:] = False
    elif draw < 0.3:
        target, liked = np.array([], int), np.array([], bool)
    excluded = rng.choice(items, int(rng.integers(0, items // 2 + 1)), replace=False)
    if 0.3 <= draw < 0.4:  # every candidate is relevant
        excluded = np.setdiff1d(np.arange(items), target)
        liked[:] = True
    return score, target, liked, excluded


def check_rankings(program, rng, names, kind):
    users, items = int(rng.integers(1, 60)), int(rng.integers(3, 60))
    ks = [1, 7, 2 * items]
    uses = [f"{name}@{k}" for name, takes_k in names if takes_k for k in ks] + [name for name, takes_k in names if not takes_k]
    surprise = -np.log2((1 + rng.integers(0, 50, items)) / 51)
    words, values, lists, skipped = [], {use: [] for use in uses}, {k: [] for k in ks}, 0
    for _ in range(users):
        score, target, liked, excluded = make_user(rng, items, kind)
        words += [repr(float(s)) for s in score] + [len(target)]
        words += [word for item, like in zip(target, liked) for word in (item, int(like))] + [len(excluded), *excluded]
        candidates = np.setdiff1d(np.arange(items), excluded)
        relevant = set(target[liked]) & set(candidates)
        if not relevant:
            skipped += 1
            continue
        order = candidates[np.argsort(-score[candidates].astype(np.float64), kind="stable")]
        for k in ks:
            lists[k].append(order[:k])
        for use in uses:
            name, _, k = use.partition("@")
            value = user_by_definition(order, relevant, score.astype(np.float64), surprise, int(k or 1)).get(name)
            if value is not None:
                values[use].append(value)
        if sk and kind != "ties" and len(order) > 1:
            check_user(order, relevant, score, ks)
    # as blocks of one call: each user's own value is a mean over one
    got = ask(program, ["ranks", users, items, len(uses), *uses, *(repr(float(s)) for s in surprise), *words])
    hold("users", got.pop("users"), users - skipped)
    hold("skipped", got.pop("skipped"), skipped)
    for use in uses:
        name, _, k = use.partition("@")
        defined = [value for value in values[use] if not np.isnan(value)]
        wanted = np.mean(defined) if defined else np.nan
        if name in ("coverage", "gini"):
            wanted = lists_by_definition(lists[int(k)], items)[name] if lists[int(k)] else np.nan
        hold(use, got.pop(use), wanted)
    assert not got, f"not compared: {got}"


def check_user(order, relevant, score, ks):
    """Where scikit-learn has the same by another way: numpy's own definition is held against it, which the program is held against."""
    truth, scores = np.isin(order, list(relevant)), score[order].astype(np.float64)
    for k in ks:
        own = user_by_definition(order, relevant, score.astype(np.float64), np.zeros(len(score)), k)
        hold("ndcg", own["ndcg"], sk.ndcg_score([truth.astype(float)], [scores], k=k), "scikit-learn")
    if not truth.all():
        hold("user_auc", pairs_auc(scores, truth), sk.roc_auc_score(truth, scores), "scikit-learn")
    all_of_them = user_by_definition(order, relevant, score.astype(np.float64), np.zeros(len(score)), len(order))
    hold("map", all_of_them["map"], sk.average_precision_score(truth, scores), "scikit-learn")


def main():
    program, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40
    out = subprocess.run([program, "names"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in out.splitlines()]
    names = [(name, takes_k == "1") for name, kind, takes_k in rows if kind == "ranks"]
    rng = np.random.default_rng(11)
    for i in range(rounds):
        check_cells(program, rng, ("plain", "ties", "one class", "other class")[i % 4])
        check_rankings(program, rng, names, ("plain", "ties")[i % 2])
    for (name, peer), differences in sorted(compared.items()):
        print(f"{name:14} {peer:13} {len(differences):5} values, largest difference {max(differences):.1e}")
    missing = {name for name, _, _ in rows} - {name for name, peer in compared if peer == "numpy"}
    if missing:
        print(f"not compared: {missing}")
    sys.exit(1 if hold.failed or missing else 0)


main()
