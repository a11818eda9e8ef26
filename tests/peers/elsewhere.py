#!/usr/bin/env python3
"""Exported ONNX files under onnxruntime against the program's own scores, within 1e-5: a graph with every op, the shipped
models, items as rows, models without a graph. Inputs are made of the file's metadata alone, as anybody who has nothing but
the file would make them. The onnx checker, where it is there, has to pass each file; the safetensors library, where it is
there, has to read the model as it is.
Usage: elsewhere.py AEXP SOURCE   AEXP_PYTHON names an interpreter that has numpy and onnxruntime; ends with 77 without
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
    import onnxruntime
except ImportError:
    print(f"skipped: {sys.executable} has no onnxruntime")
    sys.exit(77)
try:
    import onnx
except ImportError:
    onnx = None
try:
    import safetensors.numpy
except ImportError:
    safetensors = None

TOLERANCE = 1e-5
USERS, ITEMS = 120, 60
SKIN = ["Dry", "Oily", ""]


def write_data(folder):
    """ratings.csv and users.csv; the ratings as {user: {item: rating}}."""
    random = np.random.default_rng(1)
    ratings = {}
    for user in range(USERS):
        rated = random.choice(ITEMS, 12 + user % 9, replace=False)
        ratings[f"u{user}"] = {f"i{item}": int(random.integers(2, 6)) for item in rated}
    with open(os.path.join(folder, "ratings.csv"), "w") as file:
        for user, row in ratings.items():
            file.writelines(f"{user},{item},{rating}\n" for item, rating in row.items())
    with open(os.path.join(folder, "users.csv"), "w") as file:
        file.write("user_id,skin,age\n")
        file.writelines(f"u{user},{SKIN[user % 3]},{20 + user % 30}\n" for user in range(USERS))
    return ratings


def code_rating(meta, rating):
    if "buckets" in meta:
        buckets = json.loads(meta["buckets"])
        return buckets["values"][int(np.searchsorted(buckets["thresholds"], rating, side="left"))]
    if "scale" in meta:
        scale = json.loads(meta["scale"])
        return (rating - scale["low"]) / (scale["high"] - scale["low"])
    return rating


def code_user(meta, about, width):
    row = np.zeros(width, np.float32)
    for attribute in json.loads(meta["coding"]):
        first, value = attribute["first_column"], about.get(attribute["name"], "")
        if attribute["kind"] == "numeric":
            row[first + (value == "")] = 1 if value == "" else (value - attribute["mean"]) / attribute["deviation"]
        else:
            row[first + (attribute["levels"].index(value) if value in attribute["levels"] else 0)] = 1
    return row


class Model:
    def __init__(self, aexp, folder, name, arguments):
        self.aexp, self.folder, self.name = aexp, folder, name
        results = os.path.join(folder, "results")
        subprocess.run([aexp, "run", *arguments, "-s", f"name={name}", "-q", "-o", results], check=True,
                       stdout=subprocess.DEVNULL)
        self.file = glob.glob(os.path.join(results, name, "*", "model.safetensors"))[0]
        self.onnx = os.path.join(folder, name + ".onnx")
        subprocess.run([aexp, "export", self.file, "--format", "onnx", "--to", self.onnx], check=True)
        if onnx:
            onnx.checker.check_model(self.onnx, full_check=True)
        self.session = onnxruntime.InferenceSession(self.onnx, providers=["CPUExecutionProvider"])
        self.meta = self.session.get_modelmeta().custom_metadata_map
        self.items = json.loads(self.meta["items"])
        self.check_safetensors()

    def check_safetensors(self):
        if not safetensors:
            return
        with safetensors.safe_open(self.file, "numpy") as file:
            if file.metadata() != self.meta:
                raise SystemExit(f"failed: {self.name}: the metadata of both files differs")
            for key in file.keys():
                if not np.isfinite(file.get_tensor(key)).all():
                    raise SystemExit(f"failed: {self.name}: {key} is not finite")

    def run(self, ratings, about, place):
        """Scores by onnxruntime of coded rows."""
        feeds = {"ratings": np.asarray(ratings, np.float32), "place": np.asarray(place, np.int64)}
        wanted = {value.name: value for value in self.session.get_inputs()}
        if "user" in wanted:
            feeds["user"] = np.stack([code_user(self.meta, a, wanted["user"].shape[1]) for a in about])
        return self.session.run(["scores"], {name: feeds[name] for name in wanted})[0]

    def ask(self, text):
        """Scores by the program, as {(user, item): score}."""
        out = subprocess.run([self.aexp, "predict", os.path.dirname(self.file), "--csv", "-q"], input=text, text=True, check=True,
                             capture_output=True).stdout
        return {(line["id"], line["item"]): float(line["score"]) for line in csv.DictReader(io.StringIO(out))}

    def hold(self, theirs, ours):
        worst = float(np.abs(np.asarray(theirs, np.float64) - np.asarray(ours, np.float64)).max())
        print(f"{self.name}: {len(ours)} scores, off by at most {worst:.2g}")
        if not worst <= TOLERANCE:
            raise SystemExit(f"failed: {self.name}")

    def hold_users(self, ratings):
        """New users: ratings and attributes, coded by the metadata."""
        rows, about, lines = [], [], [["id", "item", "rating", "skin", "age"]]
        above = json.loads(self.meta.get("above", "-1e9"))
        for user in list(ratings)[:20]:
            number = int(user[1:])
            about.append({"skin": SKIN[number % 3], "age": 20.0 + number % 30 if number % 4 else ""})
            row = np.zeros(len(self.items))
            for item, rating in ratings[user].items():
                if item in self.items:
                    lines.append([user, item, rating, about[-1]["skin"], about[-1]["age"]])
                    if rating > above:
                        row[self.items.index(item)] = code_rating(self.meta, rating)
            lines += [[user, item, "", about[-1]["skin"], about[-1]["age"]] for item in self.items]
            rows.append(row)
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        said = self.ask(text.getvalue())
        scores = self.run(rows, about, [0] * len(rows))
        pairs = [(i, user, j, item) for i, user in enumerate(list(ratings)[:20]) for j, item in enumerate(self.items)]
        self.hold([scores[i, j] for i, _, j, _ in pairs], [said[user, item] for _, user, _, item in pairs])

    def hold_items(self, ratings):
        """Items as rows: what each item's row says of its users, without a test part."""
        users = json.loads(self.meta["users"])
        rows = np.zeros((len(self.items), len(users)))
        for j, user in enumerate(users):
            for item, rating in ratings[user].items():
                rows[self.items.index(item), j] = code_rating(self.meta, rating)
        scores = self.run(rows, None, [0] * len(rows))
        said = self.ask("id,item\n" + "".join(f"{user},{item}\n" for user in users[:15] for item in self.items))
        pairs = [(i, item, j, user) for j, user in enumerate(users[:15]) for i, item in enumerate(self.items)]
        self.hold([scores[i, j] for i, _, j, _ in pairs], [said[user, item] for _, item, _, user in pairs])


def main():
    aexp, source = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        ratings = write_data(folder)
        data = ["data.source.format=delimited", f"data.source.path={folder}/ratings.csv", "data.source.separator=,",
                "data.source.header=false"]
        about = [f"data.user_features.path={folder}/users.csv", "data.user_features.id=user_id",
                 'data.user_features.categorical=[ "skin" ]', 'data.user_features.numeric=[ "age" ]']
        short = ["train.epochs=2", "repeats=1"]
        everything = ["data.split.kind=ratio", "data.split.valid=0", "data.split.test=0"]

        def model(name, card, *overrides):
            arguments = [os.path.join(source, card)]
            for override in overrides:
                arguments += ["-s", override]
            return Model(aexp, folder, name, arguments)

        cards = "experiments/paper/"
        model("every-op", "tests/recommend/every-op.cfg", *data, *about).hold_users(ratings)
        model("beautybot", "experiments/beautybot.cfg", *data, *about, "train.epochs=2").hold_users(ratings)
        model("uautorec", cards + "ml1m-uautorec.cfg", *data, *short).hold_users(ratings)
        model("iautorec", cards + "ml1m-iautorec.cfg", *data, *short, *everything).hold_items(ratings)
        for name in ("multvae", "multdae", "cdae"):
            model(name, cards + f"ml1m-{name}.cfg", *data, *short).hold_users(ratings)
        model("recvae", cards + "ml1m-recvae.cfg", *data, "train.epochs=4").hold_users(ratings)
        model("ease", cards + "ml1m-ease.cfg", *data).hold_users(ratings)
        model("pure_svd", "tests/recommend/fitted.cfg", *data, "model.kind=pure_svd", "model.factors=7").hold_users(ratings)


main()
