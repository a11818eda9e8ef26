#!/usr/bin/env python3
"""Mult-DAE, Mult-VAE, CDAE and RecVAE in PyTorch, written from the papers, on the parts that split_dump wrote. Prints JSON: the
figures of the last epoch on validation and test, and the seconds of training.

- dae, vae: Liang, Krishnan, Hoffman, Jebara, "Variational autoencoders for collaborative filtering", WWW 2018: L2-normalised row,
  dropout 0.5, 200 latent units, for the VAE between layers of 600 tanh units, multinomial likelihood. The noise of the VAE has standard deviation 1 (RecBole's
  has 0.01), and there is none at evaluation. The KL term's weight rises linearly over `anneal` steps up to `cap`.
- cdae: Wu, DuBois, Zheng, Ester, "Collaborative denoising auto-encoders for top-N recommender systems", WSDM 2016: a learnt vector
  for each training user beside the row with dropout, sigmoid units, cross entropy over the rated items and five drawn ones for
  each. A held-out user's vector is 0: the model has none.
- recvae: Shenbin, Alekseev, Tutubalina, Malykh, Nikolenko, "RecVAE", WSDM 2020: dense encoder with layer norm and swish, composite
  prior (standard, the last cycle's posterior, a wide one), KL weight gamma times the row's entries, three epochs of the encoder
  to one of the decoder, which sees no dropout.

Usage: multvae.py MODEL FOLDER [--seed N] [--epochs N] [--batch N] [--rate X] [--hidden N] [--latent N] ...
"""
import argparse
import json
import math
import sys
import time

import ranking  # ends with 77 without numpy

import numpy as np

try:
    import torch
except ImportError:
    print(f"skipped: {sys.executable} has no torch")
    sys.exit(77)

from torch import nn
from torch.nn import functional as F


def xavier(linear):
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


def normal_kl(mean, log_variance):
    """Of N(mean, exp(log_variance)) from the standard normal, for each row."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)


def log_normal(x, mean, log_variance):
    return -0.5 * (log_variance + math.log(2 * math.pi) + (x - mean).square() / log_variance.exp())


def multinomial(scores, rated):
    """Negative log likelihood, a mean over rows."""
    return -(F.log_softmax(scores, 1) * rated).sum(1).mean()


def shown(model, rated):
    """The row at length 1, part of it hidden in training."""
    return F.dropout(F.normalize(rated), model.options.dropout, model.training)


class Dae(nn.Module):
    """The authors' program has no layer beside the latent one."""

    def __init__(self, options, users, items):
        super().__init__()
        self.options = options
        self.latent, self.score = xavier(nn.Linear(items, options.latent)), xavier(nn.Linear(options.latent, items))

    def forward(self, rated, users=None):
        return self.score(torch.tanh(self.latent(shown(self, rated))))

    def loss(self, rated, users):
        penalty = self.latent.weight.square().sum() + self.score.weight.square().sum()
        return multinomial(self(rated), rated) + self.options.l2 * penalty


class Vae(nn.Module):
    """`latent` gives the means; the log variances have a layer of their own."""

    def __init__(self, options, users, items):
        super().__init__()
        self.options, self.steps = options, 0
        self.hidden = xavier(nn.Linear(items, options.hidden))
        self.latent, self.spread = (xavier(nn.Linear(options.hidden, options.latent)) for _ in range(2))
        self.back = xavier(nn.Linear(options.latent, options.hidden))
        self.score = xavier(nn.Linear(options.hidden, items))

    def heads(self, rated):
        h = torch.tanh(self.hidden(shown(self, rated)))
        return self.latent(h), self.spread(h)

    def decode(self, z):
        return self.score(torch.tanh(self.back(z)))

    def forward(self, rated, users=None):
        return self.decode(self.heads(rated)[0])

    def loss(self, rated, users):
        mean, log_variance = self.heads(rated)
        weight = min(self.options.cap, self.steps / self.options.anneal) if self.options.anneal else self.options.cap
        self.steps += 1
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return multinomial(self.decode(z), rated) + weight * normal_kl(mean, log_variance).mean()


class Cdae(nn.Module):
    def __init__(self, options, users, items):
        super().__init__()
        self.options = options
        self.hidden = xavier(nn.Linear(items, options.hidden))
        self.score = xavier(nn.Linear(options.hidden, items))
        self.user = nn.Embedding(users, options.hidden)
        nn.init.xavier_uniform_(self.user.weight)

    def forward(self, rated, users=None):
        x = self.hidden(F.dropout(rated, self.options.dropout, self.training))
        return self.score(torch.sigmoid(x + self.user(users) if users is not None else x))

    def loss(self, rated, users):
        """A mean over the rated and the drawn cells; a row's drawn items are never rated and never twice."""
        wanted = (rated.sum(1) * (1 + self.options.negatives)).clamp(max=rated.shape[1]).long()
        place = (torch.rand_like(rated) + rated).argsort(1, descending=True).argsort(1)
        counted = (place < wanted[:, None]).to(rated.dtype)
        cells = F.binary_cross_entropy_with_logits(self(rated, users), rated, reduction="none")
        penalty = sum(m.weight.square().sum() for m in (self.hidden, self.score, self.user))
        return (cells * counted).sum() / counted.sum() + self.options.l2 * penalty


class Encoder(nn.Module):
    LAYERS, EPSILON = 5, 0.1

    def __init__(self, options, items):
        super().__init__()
        widths = [items] + [options.hidden] * self.LAYERS
        self.layers = nn.ModuleList(xavier(nn.Linear(a, b)) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.LayerNorm(options.hidden, eps=self.EPSILON) for _ in range(self.LAYERS))
        self.mean, self.spread = (xavier(nn.Linear(options.hidden, options.latent)) for _ in range(2))

    def forward(self, rated, dropout):
        x, before = F.dropout(F.normalize(rated), dropout, self.training), 0
        for layer, norm in zip(self.layers, self.norms):
            x = norm(F.silu(layer(x) + before))
            before = before + x
        return self.mean(x), self.spread(x)


class RecVae(nn.Module):
    WEIGHTS, WIDE = (0.15, 0.75, 0.1), 10.0

    def __init__(self, options, users, items):
        super().__init__()
        self.options, self.dropout = options, options.dropout
        self.encoder, self.score = Encoder(options, items), xavier(nn.Linear(options.latent, items))
        self.old = [Encoder(options, items).eval().requires_grad_(False)]  # in a list: no submodule, not trained

    def renew(self):
        self.old[0].load_state_dict(self.encoder.state_dict())

    def forward(self, rated, users=None):
        return self.score(self.encoder(rated, self.dropout)[0])

    def loss(self, rated, users):
        mean, log_variance = self.encoder(rated, self.dropout)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        zero = torch.zeros(())
        parts = zip(self.WEIGHTS, ((zero, zero), self.old[0](rated, 0), (zero, zero + self.WIDE)))
        prior = torch.logsumexp(torch.stack([math.log(w) + log_normal(z, m, v) for w, (m, v) in parts]), 0)
        kl = (log_normal(z, mean, log_variance) - prior).sum(1) * self.options.gamma * rated.sum(1)
        return multinomial(self.score(z), rated) + kl.mean()


def pass_over(model, optimizer, train, trained, batch):
    order = trained[torch.randperm(len(trained))]
    for rows in order.split(batch):
        optimizer.zero_grad()
        model.loss(train[rows], rows).backward()
        optimizer.step()


def fit(model, options, train, trained):
    if not isinstance(model, RecVae):
        optimizer = torch.optim.Adam(model.parameters(), lr=options.rate)
        for _ in range(options.epochs):
            pass_over(model, optimizer, train, trained, options.batch)
        return
    encoder = torch.optim.Adam(model.encoder.parameters(), lr=options.rate)
    decoder = torch.optim.Adam(model.score.parameters(), lr=options.rate)
    for epoch in range(options.epochs):  # a cycle is four
        learns = decoder if epoch % 4 == 3 else encoder
        model.dropout = 0.0 if learns is decoder else options.dropout
        pass_over(model, learns, train, trained, options.batch)
        if epoch % 4 == 2:
            model.renew()


MODELS = {"dae": Dae, "vae": Vae, "cdae": Cdae, "recvae": RecVae}


def evaluate(model, parts, part):
    shown = parts.dense(f"{part}_input", np.float32)
    with torch.inference_mode():
        return ranking.figures(lambda users: model(torch.from_numpy(shown[users])).numpy(), shown,
                               parts.dense(f"{part}_target", np.float32))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("folder")
    for name, kind, value in (("seed", int, 1), ("epochs", int, 100), ("batch", int, 500), ("threads", int, 2),
                              ("hidden", int, 600), ("latent", int, 200), ("rate", float, 1e-3), ("dropout", float, 0.5),
                              ("l2", float, 0.0), ("cap", float, 0.2), ("anneal", int, 0), ("gamma", float, 0.005),
                              ("negatives", int, 5)):
        parser.add_argument(f"--{name}", type=kind, default=value)
    return parser.parse_args()


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    parts = ranking.Parts(options.folder)
    train = torch.from_numpy(parts.dense("train", np.float32))
    trained = torch.nonzero(train.any(1)).flatten()
    model = MODELS[options.model](options, parts.users, parts.items)
    begin = time.perf_counter()
    fit(model.train(), options, train, trained)
    seconds = time.perf_counter() - begin
    model.eval()
    json.dump({"model": options.model, "seed": options.seed, "torch": torch.__version__, "seconds": seconds}
              | {part: evaluate(model, parts, part) for part in ("valid", "test")}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
