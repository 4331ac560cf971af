"""Reference values for clipping by rows and tensors and for what is wrapped around an optimizer: writes wrappers.txt beside this file.
README.md says how to run it.

Every case is computed by a library and by a plain formula here. The script stops at the first disagreement, so a written
file is a checked file.
"""
import os
from importlib.metadata import version
from pathlib import Path

os.environ.update(JAX_PLATFORMS="cpu")

import jax
import numpy as np
import optax
import optax.contrib
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

jax.config.update("jax_enable_x64", True)
TOLERANCE = 1e-13

# The problem of optimizers.py: gradient i of step t is A[i]*w[i] + B[i]*cos(0.7*t + i).
W0 = np.array([1.0, -2.0, 0.5, 3.0, -0.75, 1.5])
A = np.array([1.0, 0.5, 2.0, 0.125, 1e-4, 3.0])
B = np.array([0.5, -1.0, 0.25, 0.3, 1e-4, -2.0])
STEPS = 50
LR, MOMENTUM = 0.1, 0.5


def gradient(w, t):
    return A * w + B * np.cos(0.7 * t + np.arange(6))


def sgd_path():
    """The parameter after each step of SGD with momentum, by the formula."""
    w, m, path = W0, None, []
    for t in range(1, STEPS + 1):
        g = gradient(w, t)
        m = g if m is None else MOMENTUM * m + g
        w = w - LR * m
        path.append(w)
    return path


def lookahead(period, share):
    fast = optax.lookahead(optax.sgd(LR, momentum=MOMENTUM), period, share)
    params = optax.LookaheadParams.init_synced(jax.numpy.asarray(W0))
    state, w, slow, m, rows = fast.init(params), W0, W0, None, []
    for t in range(1, STEPS + 1):
        updates, state = fast.update(jax.numpy.asarray(gradient(np.asarray(params.fast), t)), state, params)
        params = optax.apply_updates(params, updates)
        g = gradient(w, t)
        m = g if m is None else MOMENTUM * m + g
        w = w - LR * m
        if t % period == 0:
            w = slow = slow + share * (w - slow)
        agree(f"lookahead step {t}", params.fast, w)
        rows.append(np.asarray(params.fast))
    return rows


def averages(decay):
    """EMA, or SWA for decay None, of the path of SGD."""
    model = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(W0))])
    averaged = AveragedModel(model) if decay is None else AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    mine, rows = None, []
    for n, w in enumerate(sgd_path()):
        model[0].data = torch.tensor(w)
        averaged.update_parameters(model)
        mine = w if mine is None else (mine + (w - mine) / (n + 1) if decay is None else decay * mine + (1 - decay) * w)
        theirs = next(averaged.parameters()).detach().numpy().copy()
        agree(f"average step {n}", theirs, mine)
        rows.append(theirs)
    return rows


def sam(rho):
    optimizer = optax.contrib.sam(optax.sgd(LR, momentum=MOMENTUM), optax.chain(optax.contrib.normalize(), optax.sgd(rho)), opaque_mode=True)
    params, w, m, rows = jax.numpy.asarray(W0), W0, None, []
    state = optimizer.init(params)
    for t in range(1, STEPS + 1):
        def grad(p, _, t=t):
            return jax.numpy.asarray(A) * p + jax.numpy.asarray(B * np.cos(0.7 * t + np.arange(6)))
        updates, state = optimizer.update(grad(params, 0), state, params, grad_fn=grad)
        params = optax.apply_updates(params, updates)
        g = gradient(w, t)
        g = gradient(w + rho * g / np.linalg.norm(g), t)
        m = g if m is None else MOMENTUM * m + g
        w = w - LR * m
        agree(f"sam step {t}", params, w)
        rows.append(np.asarray(params))
    return rows


# Clipping: a weight [3, 4] with a row of nothing, its gradient, a vector with its gradient.
W = np.array([[0.5, -1.0, 2.0, 0.25], [0.0, 0.0, 0.0, 0.0], [1e-3, -2e-3, 0.0, 1e-3]])
G = np.array([[0.01, 0.02, -0.03, 0.04], [0.5, -0.25, 1.0, 0.125], [3.0, -4.0, 0.0, 12.0]])
V, GV = np.array([0.3, -0.4, 1.2]), np.array([0.05, 0.0, -0.12])


def agc(clipping, eps):
    clip = optax.adaptive_grad_clip(clipping, eps, axis=1)
    theirs = np.asarray(clip.update(jax.numpy.asarray(G), clip.init(None), jax.numpy.asarray(W))[0])
    whole = optax.adaptive_grad_clip(clipping, eps, axis=0)
    theirs_v = np.asarray(whole.update(jax.numpy.asarray(GV), whole.init(None), jax.numpy.asarray(V))[0])
    def row(g, w):
        limit, norm = clipping * max(np.linalg.norm(w), eps), np.linalg.norm(g)
        return g * limit / norm if norm > limit else g
    agree("agc", theirs, np.array([row(g, w) for g, w in zip(G, W)]))
    agree("agc of a vector", theirs_v, row(GV, V))
    return [*theirs, theirs_v]


def rows_of(limit):
    theirs = torch.renorm(torch.tensor(G), 2, 0, limit).numpy()
    mine = np.array([g * min(1, limit / np.linalg.norm(g)) for g in G])
    assert np.max(np.abs(theirs - mine)) < 1e-6      # torch divides by norm + 1e-7, by design: the formula's digits are stored
    return list(mine)


def each(limit):
    """The norm of a whole tensor."""
    theirs = torch.renorm(torch.tensor(G).reshape(1, -1), 2, 0, limit).numpy().reshape(G.shape)
    mine = G * min(1, limit / np.linalg.norm(G))
    assert np.max(np.abs(theirs - mine)) < 1e-6
    return list(mine)


def agree(label, theirs, mine):
    worst = np.max(np.abs(np.asarray(theirs) - mine))
    assert worst <= TOLERANCE, f"{label}: the formula differs by {worst:.3g}"


HEADER = f"""\
# Reference values for clipping by rows and tensors and for what is wrapped around an optimizer, in double precision. Written by
# wrappers.py; do not edit. README.md says how. optax {version('optax')}, torch {version('torch')}
#
# A case is `case NAME` and lines of numbers: for lookahead and sam the parameter after each of {STEPS} steps of SGD with lr {LR} and
# momentum {MOMENTUM}, for ema and swa the average after each; w0, a and b are those of optimizers.txt. For clipping, the rows of the
# clipped gradient [3, 4], for agc then the clipped vector.
"""


def main():
    cases = {"lookahead": lookahead(5, 0.5), "lookahead_3": lookahead(3, 0.8), "lookahead_1": lookahead(1, 0.3), "ema": averages(0.9),
             "ema_slow": averages(0.999), "ema_last": averages(0.0), "swa": averages(None), "sam": sam(0.05), "sam_far": sam(0.5),
             "agc": agc(0.01, 1e-3), "agc_loose": agc(0.1, 0.05), "clip_rows": rows_of(0.5), "clip_each": each(0.5)}
    text = [HEADER]
    for name, rows in cases.items():
        text += [f"case {name}", *(" ".join(repr(float(x)) for x in row) for row in rows), ""]
    Path(__file__).with_suffix(".txt").write_text("\n".join(text))
    print(f"{len(cases)} cases written")


if __name__ == "__main__":
    main()
