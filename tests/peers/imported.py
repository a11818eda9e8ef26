#!/usr/bin/env python3
"""A model of PyTorch's, saved by the safetensors library as PyTorch names and lays its weights, taken over and asked: the
program's scores are PyTorch's within 1e-5, and so is the mean squared error of its evaluation. The same weights once more
as Keras names and lays them.
Usage: imported.py AEXP   AEXP_PYTHON names an interpreter that has PyTorch and safetensors; ends with 77 without
"""
import csv
import glob
import io
import json
import os
import subprocess
import sys
import tempfile

import ranking  # ends with 77 without numpy

import numpy as np

try:
    import torch
    from safetensors.numpy import save_file as save_arrays
    from safetensors.torch import save_file
except ImportError as problem:
    print(f"skipped: {sys.executable} has no {problem.name}")
    sys.exit(77)

TOLERANCE = 1e-5
USERS, ITEMS, HIDDEN = 50, 30, 8
EXPERIMENT = """
data: {{ source: {{ format = "delimited"; path = "ratings.csv"; header = false; }};
         split:  {{ kind = "ratio"; valid = 0.0; test = 0.0; }}; }};
graph: (
  {{ name = "taste"; op = "dense"; input = "ratings"; units = {hidden}; activation = "tanh"; }},
  {{ name = "norm";  op = "batch_norm"; epsilon = 1e-5; }},
  {{ name = "layer"; op = "layer_norm"; }},
  {{ name = "score"; op = "dense"; units = "items"; bias = false; }}
);
train: {{ epochs = 0; }};
weights: {{ path = "{file}"; }};
metrics = [ "mse" ];
"""
KERAS = {"norm.weight": "norm.gamma", "norm.bias": "norm.beta", "norm.running_mean": "norm.moving_mean",
         "norm.running_var": "norm.moving_variance", "layer.weight": "layer.gamma", "layer.bias": "layer.beta"}


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.taste = torch.nn.Linear(ITEMS, HIDDEN)
        self.norm = torch.nn.BatchNorm1d(HIDDEN)
        self.layer = torch.nn.LayerNorm(HIDDEN)
        self.score = torch.nn.Linear(HIDDEN, ITEMS, bias=False)

    def forward(self, x):
        return self.score(self.layer(self.norm(torch.tanh(self.taste(x)))))


def keras_names(state):
    """Keras' names, and dense weights (inputs, units)."""
    arrays = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if tensor.dim() == 2:
            arrays[name.replace(".weight", "/kernel")] = np.ascontiguousarray(tensor.numpy().T)
        else:
            arrays[KERAS.get(name, name)] = tensor.numpy()
    return arrays


def hold(what, theirs, ours):
    worst = float(np.abs(theirs - ours).max())
    print(f"{what}: off by at most {worst:.2g}")
    if not worst <= TOLERANCE:
        raise SystemExit(f"failed: {what}")


def check(aexp, name, rows, ids, network):
    with open(f"{name}.cfg", "w") as file:
        file.write(EXPERIMENT.format(hidden=HIDDEN, file=f"{name}.safetensors"))
    subprocess.run([aexp, "run", f"{name}.cfg", "-q"], check=True, stdout=subprocess.DEVNULL)
    with torch.no_grad():
        scores = network(torch.from_numpy(rows)).numpy()
    text = "id,item\n" + "".join(f"u{user},{item}\n" for user in range(USERS) for item in ids)
    out = subprocess.run([aexp, "predict", name, "--csv"], input=text, text=True, check=True, capture_output=True).stdout
    said = np.array([float(line["score"]) for line in csv.DictReader(io.StringIO(out))]).reshape(USERS, ITEMS)
    hold(f"{name}, scores", scores, said)
    with open(glob.glob(f"results/{name}/*/metrics.json")[0]) as file:
        mse = json.load(file)["final"]["train"]["mse"]
    hold(f"{name}, mse", np.square(scores - rows)[rows != 0].mean(), mse)


def main():
    aexp = os.path.abspath(sys.argv[1])
    torch.manual_seed(3)
    random = np.random.default_rng(3)
    network = Network()
    for _ in range(20):  # running averages, factors and addends that do something
        network(torch.randn(16, ITEMS))
    for parameter in (*network.norm.parameters(), *network.layer.parameters()):
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    network.eval()
    rows = np.where(random.random((USERS, ITEMS)) < 0.3, random.integers(1, 6, (USERS, ITEMS)), 0).astype(np.float32)
    rows[np.arange(USERS), np.arange(USERS) % ITEMS] = 3
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Items in their order, so that column j of the program is column j here.
        cells = [(j % USERS, j) for j in range(ITEMS)]
        cells += [cell for cell in zip(*np.nonzero(rows)) if cell not in cells]
        with open("ratings.csv", "w") as file:
            file.writelines(f"u{user},i{item},{int(rows[user, item])}\n" for user, item in cells)
        save_file(network.state_dict(), "torch.safetensors", metadata={"format": "pt"})
        save_arrays(keras_names(network.state_dict()), "keras.safetensors")
        for name in ("torch", "keras"):
            check(aexp, name, rows, [f"i{item}" for item in range(ITEMS)], network)
        os.chdir("/")


main()
