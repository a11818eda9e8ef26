"""What the programs for held-out users share: the parts that split_dump wrote, and the metrics of the Mult-VAE protocol
(Liang et al., WWW 2018), written apart from the program's own: recall over min(k, relevant), NDCG with binary gain.

Candidates are all items less what the model was shown of the user; equal scores go to the lower item; users without a target
are left out. Needs numpy alone: without it the test is skipped (77).
"""
import json
import os
import subprocess
import sys
import tempfile


def restart_elsewhere():
    """AEXP_PYTHON names the interpreter that has numpy and PyTorch, where python3 has not."""
    wanted = os.environ.pop("AEXP_PYTHON", None)
    if wanted:
        os.execv(wanted, [wanted, *sys.argv])


restart_elsewhere()

try:
    import numpy as np
except ImportError:
    print(f"skipped: {sys.executable} has no numpy")
    sys.exit(77)

METRICS = {"recall_capped@20": ("recall", 20), "recall_capped@50": ("recall", 50), "ndcg@100": ("ndcg", 100)}


class Parts:
    """users, items, and each part as (user, item, value) arrays sorted by user."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "shape"), encoding="ascii") as file:
            self.users, self.items = map(int, file.read().split())

    def entries(self, name):
        table = np.loadtxt(os.path.join(self.folder, name), ndmin=2)
        table = table.reshape(-1, 3)
        user, item = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        order = np.lexsort((item, user))
        return user[order], item[order], table[order, 2]

    def dense(self, name, dtype=np.float64):
        """All users as rows, 0 where the part has nothing."""
        user, item, value = self.entries(name)
        matrix = np.zeros((self.users, self.items), dtype)
        matrix[user, item] = value
        return matrix


def dump(program, experiment, overrides, folder):
    """Runs split_dump into a folder and reads what it wrote."""
    subprocess.run([program, experiment, folder, *overrides], check=True)
    return Parts(folder)


def figures(scores_of, shown, target, block=512):
    """Means over the users that have a target. scores_of(users): (users, items); shown, target: (all users, items)."""
    users = np.nonzero(target.any(axis=1))[0]
    sums, gain = dict.fromkeys(METRICS, 0.0), 1 / np.log2(np.arange(100) + 2.0)
    for first in range(0, len(users), block):
        some = users[first:first + block]
        scores = np.array(scores_of(some), np.float64)
        scores[shown[some] != 0] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :100]
        hits = np.take_along_axis(target[some] != 0, order, axis=1)
        relevant = (target[some] != 0).sum(axis=1)
        for name, (kind, k) in METRICS.items():
            most = np.minimum(relevant, k)
            if kind == "recall":
                value = hits[:, :k].sum(axis=1) / most
            else:
                ideal = np.concatenate([[0.0], np.cumsum(gain)])
                value = (hits[:, :k] * gain[:hits[:, :k].shape[1]]).sum(axis=1) / ideal[most]
            sums[name] += value.sum()
    return {name: total / len(users) for name, total in sums.items()}


def run_aexp(aexp, experiment, overrides, *options):
    """Runs an experiment into a folder that is thrown away: its metrics.json, its run.json, and the text of its resolved file."""
    def read(where, name):
        with open(os.path.join(where, name), encoding="utf-8") as file:
            return file.read()

    with tempfile.TemporaryDirectory() as folder:
        sets = [word for override in overrides for word in ("-s", override)]
        subprocess.run([aexp, "run", experiment, "-q", "-o", folder, *sets, *options], check=True, stdout=sys.stderr)
        for where, _, files in os.walk(folder):
            if "metrics.json" in files:
                return json.loads(read(where, "metrics.json")), json.loads(read(where, "run.json")), read(where, "experiment.cfg")
    sys.exit("no metrics.json was written")
