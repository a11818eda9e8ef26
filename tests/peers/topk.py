#!/usr/bin/env python3
"""The 100 best items of many users and their ndcg@100 in PyTorch, by matmul and topk over blocks of users: the yardstick
for the ranking evaluation. Prints JSON; see common.py.

For each user: the hidden row by embedding_bag (and the user branch), a score for every item, the user's own items out,
the 100 best, the gain of one relevant item among them. Blocks of several sizes and numbers of threads are tried; the
fastest is timed. No sigmoid: it does not change the order.
"""
import statistics
import time

import common
from common import USER_UNITS

import torch
from torch.nn import functional

BLOCKS = (256, 1024, 4096)
TOP = 100


def make_ranker(options, ratings, features):
    items, width = ratings.columns, USER_UNITS + options.hidden
    taste, score = torch.randn(items, options.hidden), torch.randn(items, width)
    bias, who = torch.randn(items), torch.randn(USER_UNITS, features.columns)
    discount = 1 / torch.log2(torch.arange(TOP) + 2.0)

    def rank(rows, relevant):
        offsets, place, column, value = ratings.gather(rows)
        read = functional.embedding_bag(column, taste, offsets[:-1], mode="sum", per_sample_weights=value)
        user = features.dense(rows, torch.empty(len(rows), features.columns))
        hidden = torch.relu(torch.cat([functional.linear(user, who), read], 1))
        scores = functional.linear(hidden, score, bias)
        scores.view(-1)[place * items + column] = float("-inf")
        best = torch.topk(scores, TOP, dim=1).indices
        return ((best == relevant[:, None]) * discount[:best.shape[1]]).sum()

    return rank


def rank_all(rank, rows, relevant, block):
    begin = time.perf_counter()
    for some, theirs in zip(rows.split(block), relevant.split(block)):
        rank(some, theirs)
    return time.perf_counter() - begin


def main():
    options = common.arguments(__doc__, lambda p: p.add_argument("--users", type=int, default=0, help="0: all"))
    ratings, features = common.read_data(options.data)
    used = torch.nonzero(ratings.count).flatten()
    users = min(options.users or len(used), len(used))
    rows = used[torch.linspace(0, len(used) - 1, users).long()]
    relevant = torch.randint(0, ratings.columns, (users,))
    rank = make_ranker(options, ratings, features)
    tried = []
    some = min(users, 2 * BLOCKS[-1])
    with torch.inference_mode():
        for threads in sorted({int(t) for t in options.threads.split(",")}):
            torch.set_num_threads(threads)
            for block in BLOCKS:
                times = [rank_all(rank, rows[:some], relevant[:some], block) for _ in range(3)]
                tried.append({"threads": threads, "block": block, "seconds": min(times) * users / some})
        best = min(tried, key=lambda t: t["seconds"])
        torch.set_num_threads(best["threads"])
        end, times = time.perf_counter() + options.budget, []
        while len(times) < 2 or (len(times) < 9 and time.perf_counter() < end):
            times.append(rank_all(rank, rows, relevant, best["block"]))
    common.print_json(options, {"users": users, "threads": best["threads"], "block": best["block"],
                                "seconds": statistics.median(times), "repeats": len(times), "tried": tried})


if __name__ == "__main__":
    main()
