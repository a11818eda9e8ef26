"""What the PyTorch programs share: the data that the program itself trains on, and how a variant is timed.

A variant is one way of writing a training step: variant(rows) trains on those rows and returns nothing. Every variant is
tried on every number of threads; the fastest pair is then timed on as many batches as fit the budget, and the time of an
epoch is the median batch times the number of batches. Making a batch is part of it, as it is in the program.
Tuned: the environment sets malloc's thresholds (without it each large temporary is mapped and faulted in anew), and
subnormal numbers are flushed. OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are removed.
"""
import argparse
import json
import os
import shutil
import statistics
import sys
import time

TUNING = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "17179869184",
          "MALLOC_TOP_PAD_": "268435456", "OMP_PROC_BIND": "false"}
UNTUNING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def restart_tuned():
    """malloc and BLAS read their environment once, at the start."""
    if os.environ.get("AEXP_PEER_TUNED"):
        return
    environment = {k: v for k, v in os.environ.items() if k not in UNTUNING} | TUNING | {"AEXP_PEER_TUNED": "1"}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


restart_tuned()

try:
    import numpy as np
    import torch
except ImportError as problem:
    print(f"skipped: {sys.executable} has no {problem.name}", file=sys.stderr)
    sys.exit(77)

# The network's constants, as in tests/bench/base.cfg.
USER_UNITS, DROPOUT = 16, 0.2
RATE, RHO, EPSILON = 1.0, 0.95, 1e-8
DATA_MAGIC = b"AEXPDAT1"
WARM_UP = 3  # batches


class Rows:
    """Compressed sparse rows: start (rows + 1) int64, column int64, value float32 (entries)."""

    def __init__(self, raw, at, rows, entries, columns):
        def take(kind, count):
            nonlocal at
            array = np.frombuffer(raw, kind, count, at)
            at += -(-array.nbytes // 8) * 8
            return array

        self.columns = columns
        self.start = torch.from_numpy(take(np.int64, rows + 1).copy())
        self.column = torch.from_numpy(take(np.int32, entries).astype(np.int64))
        self.value = torch.from_numpy(take(np.float32, entries).copy())
        self.count = self.start[1:] - self.start[:-1]
        self.end = at

    def gather(self, rows):
        """Offsets (rows + 1), the row in the batch of each entry, columns and values of the entries of some rows."""
        count = self.count[rows]
        offsets = torch.zeros(len(rows) + 1, dtype=torch.int64)
        torch.cumsum(count, 0, out=offsets[1:])
        place = torch.repeat_interleave(torch.arange(len(rows)), count)
        entry = torch.arange(int(offsets[-1])) + (self.start[rows] - offsets[:-1])[place]
        return offsets, place, self.column[entry], self.value[entry]

    def dense(self, rows, out):
        """The rows as a dense matrix in out: (rows, columns)."""
        _, place, column, value = self.gather(rows)
        out.zero_()
        out.view(-1)[place * self.columns + column] = value
        return out


def read_data(path):
    """Ratings and side information (None without it) that bench_data wrote."""
    raw = np.memmap(path, np.uint8, "r")
    if bytes(raw[:8]) != DATA_MAGIC:
        sys.exit(f"{path}: not written by bench_data")
    rows, columns, entries, feature_columns, feature_entries = (int(x) for x in np.frombuffer(raw, np.uint64, 5, 8))
    ratings = Rows(raw, 48, rows, entries, columns)
    features = Rows(raw, ratings.end, rows, feature_entries, feature_columns) if feature_columns else None
    return ratings, features


def arguments(doc, more=lambda parser: None):
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("data", help="a file of bench_data")
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--batch-norm", action="store_true", help="between the ratings branch's dense layer and its dropout")
    parser.add_argument("--all-cells", action="store_true", help="the loss is over all cells, not the rated ones")
    parser.add_argument("--threads", default="1,2", help="numbers of threads to try")
    parser.add_argument("--budget", type=float, default=20, help="seconds for all variants together")
    parser.add_argument("--only", help="names of variants, with commas")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, whose warm-up takes a minute")
    more(parser)
    options = parser.parse_args()
    options.compile = not options.no_compile and shutil.which("c++") is not None and hasattr(torch, "compile")
    torch.manual_seed(2017)
    torch.set_flush_denormal(True)
    return options


def batches(ratings, batch):
    """Rows with ratings in a drawn order, cut into batches, epoch after epoch. The last, smaller batch is left out: it
    would make torch.compile compile again; batches_of_epoch counts it as the part of a batch that it is."""
    used = torch.nonzero(ratings.count).flatten()
    while True:
        order = used[torch.randperm(len(used))]
        for first in range(0, max(1, len(used) - batch + 1), batch):
            yield order[first:first + batch]


def batches_of_epoch(ratings, batch):
    return int((ratings.count > 0).sum()) / batch


def run(step, source, seconds, most):
    """Trains until the seconds or the batches are used up, one batch at least: the time of each batch."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < most and (not times or time.perf_counter() < end):
        rows = next(source)
        begin = time.perf_counter()
        step(rows)
        times.append(time.perf_counter() - begin)
    return times


def warm_up(step, source):
    """Compiles what is compiled, and lets malloc grow. Its time is not part of the budget."""
    for _ in range(WARM_UP):
        step(next(source))


def measure(options, ratings, makers):
    """Tries every maker on every number of threads within a third of the budget, times the fastest on the rest.

    makers: name -> function that builds a model and returns its step. Their models are not kept: one at a time fits.
    """
    threads = sorted({int(t) for t in options.threads.split(",")})
    names = [n for n in makers if not options.only or n in options.only.split(",")]
    total = batches_of_epoch(ratings, options.batch)
    source = batches(ratings, options.batch)
    tried = []
    for name in names:
        for number in threads:
            torch.set_num_threads(number)
            try:
                step = makers[name]()
                warm_up(step, source)
            except NotImplementedError as error:  # a kernel that older versions lack
                print(f"{name}: left out, {str(error).splitlines()[0][:100]}", file=sys.stderr)
                break
            times = run(step, source, options.budget / 3 / (len(names) * len(threads)), total)
            tried.append({"variant": name, "threads": number, "seconds_per_batch": statistics.median(times),
                          "batches_timed": len(times)})
    best = min(tried, key=lambda t: t["seconds_per_batch"])
    torch.set_num_threads(best["threads"])
    step = makers[best["variant"]]()
    warm_up(step, source)
    report(options, tried, best, run(step, source, options.budget * 2 / 3, total), total)


def blas():
    """The line of the build's description that names its BLAS."""
    lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    return next((line for line in lines if "Math Kernel" in line or "OpenBLAS" in line), "unknown")


def report(options, tried, best, times, total):
    median = statistics.median(times)
    print_json(options, {"batch": options.batch, "variant": best["variant"], "threads": best["threads"],
                         "seconds_per_batch": median, "batches_timed": len(times), "batches_of": total,
                         "epoch_seconds": median * total, "tried": tried})


def print_json(options, facts):
    cpu = getattr(torch.backends, "cpu", None)  # since 2.0
    program = {"program": os.path.basename(sys.argv[0]), "torch": torch.__version__, "blas": blas(),
               "capability": cpu.get_cpu_capability() if cpu else None, "compile": options.compile,
               "hidden": options.hidden}
    json.dump(program | facts, sys.stdout, indent=1)
    print()
