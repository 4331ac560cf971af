"""Reference trajectories of chains of transformations: writes chains.txt beside this file. README.md says how to run it.

Every case is computed by Optax and by a plain formula here. The script stops at the first disagreement, so a written file is a
checked file.
"""
import os
from importlib.metadata import version
from pathlib import Path

os.environ.update(JAX_PLATFORMS="cpu")

import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)
TOLERANCE = 1e-13
STEPS = 50

# Gradient i of step t is A[i]*x[i] + B[i]*cos(0.7*t + i), where x is w, row by row, then v.
W0, V0 = np.array([[1.0, -2.0, 0.5], [3.0, -0.75, 1.5]]), np.array([0.3, -0.4, 1.2])
A = np.array([1.0, 0.5, 2.0, 0.125, 1e-4, 3.0, 0.7, 0.3, 1.3])
B = np.array([0.5, -1.0, 0.25, 0.3, 1e-4, -2.0, 0.1, -0.6, 0.9])


def flat(tree):
    return np.concatenate([np.asarray(tree["w"]).ravel(), np.asarray(tree["v"]).ravel()])


def tree_of(x):
    return {"w": x[:6].reshape(2, 3), "v": x[6:]}


def gradient(x, t):
    return A * x + B * np.cos(0.7 * t + np.arange(9))


def library(transform, spoil):
    params = {"w": jax.numpy.asarray(W0), "v": jax.numpy.asarray(V0)}
    state, rows = transform.init(params), []
    for t in range(1, STEPS + 1):
        g = gradient(flat(params), t)
        if spoil(t):
            g[1] = np.inf
        updates, state = transform.update(jax.tree.map(jax.numpy.asarray, tree_of(g)), state, params)
        params = optax.apply_updates(params, updates)
        rows.append(flat(params))
    return rows


def formula(parts, spoil):
    """Each part is a function of (update, parameters, memory, steps made) on dicts of arrays; None for an update ends a step."""
    params = {"w": W0.copy(), "v": V0.copy()}
    memories, rows = [{} for _ in parts], []
    for t in range(1, STEPS + 1):
        g = gradient(flat(params), t)
        if spoil(t):
            g[1] = np.inf
        u = tree_of(g)
        for part, memory in zip(parts, memories):
            u = part(u, params, memory)
            if u is None:
                break
        if u is not None:
            params = {k: params[k] + u[k] for k in params}
        rows.append(flat(params))
    return rows


# The formulas -----------------------------------------------------------------------------------------------------------


def each(f):
    """f(u, w, memory of the array) for each array."""
    return lambda u, w, memory: {k: f(u[k], w[k], memory.setdefault(k, {})) for k in u}


def scale(c):
    return each(lambda u, w, s: c * u)


def scheduled(rate):
    def part(u, w, memory):
        t = memory["t"] = memory.get("t", -1) + 1
        return {k: rate(t) * u[k] for k in u}
    return part


def global_norm(most):
    def part(u, w, memory):
        norm = np.sqrt(sum(np.sum(x * x) for x in u.values()))
        return {k: x * min(1, most / norm) for k, x in u.items()}
    return part


def block_rms(most):
    return each(lambda u, w, s: u * min(1, most / np.sqrt(np.mean(u * u))))


def agc(clipping, eps):
    def f(u, w, s):
        axis = tuple(range(1, u.ndim)) or None
        norm = lambda x: np.sqrt(np.sum(x * x, axis=axis, keepdims=True))
        return u * np.minimum(1, clipping * np.maximum(norm(w), eps) / norm(u))
    return each(f)


def rss(start, eps):
    def f(u, w, s):
        s["s"] = s.get("s", start) + u * u
        return u / np.sqrt(s["s"] + eps)
    return each(f)


def rms(decay, eps, start, inside, centered=False):
    def f(u, w, s):
        s["v"] = decay * s.get("v", start) + (1 - decay) * u * u
        s["a"] = decay * s.get("a", 0) + (1 - decay) * u
        v = s["v"] - s["a"] ** 2 if centered else s["v"]
        return u / np.sqrt(v + eps) if inside else u / (np.sqrt(v) + eps)
    return each(f)


def adam(b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, nesterov=False):
    def f(u, w, s):
        t = s["t"] = s.get("t", 0) + 1
        s["m"] = b1 * s.get("m", 0) + (1 - b1) * u
        s["v"] = b2 * s.get("v", 0) + (1 - b2) * u * u
        m = s["m"] / (1 - b1**t)
        if nesterov:
            m = b1 * s["m"] / (1 - b1 ** (t + 1)) + (1 - b1) * u / (1 - b1**t)
        return m / (np.sqrt(s["v"] / (1 - b2**t) + eps_root) + eps)
    return each(f)


def lion(b1, b2):
    def f(u, w, s):
        m = s.get("m", 0)
        s["m"] = b2 * m + (1 - b2) * u
        return np.sign(b1 * m + (1 - b1) * u)
    return each(f)


def trace(decay, nesterov=False):
    def f(u, w, s):
        s["m"] = u + decay * s.get("m", 0)
        return u + decay * s["m"] if nesterov else s["m"]
    return each(f)


def decay(rate, only=None):
    def part(u, w, memory):
        t = memory["t"] = memory.get("t", -1) + 1
        c = rate(t) if callable(rate) else rate
        return {k: u[k] + c * w[k] if only in (None, k) else u[k] for k in u}
    return part


def accumulate(k):
    def part(u, w, memory):
        memory["sum"] = {i: memory.get("sum", {}).get(i, 0) + u[i] for i in u}
        memory["n"] = memory.get("n", 0) + 1
        if memory["n"] < k:
            return None
        return {i: x / k for i, x in (memory.pop("sum"), memory.pop("n"))[0].items()}
    return part


def partition(of):
    """Parts by the array's name."""
    def part(u, w, memory):
        out = {}
        for name, parts in of.items():
            x = {name: u[name]}
            for i, p in enumerate(parts):
                x = p(x, {name: w[name]}, memory.setdefault((name, i), {}))
            out |= x
        return {k: out[k] for k in u}
    return part


def skip(u, w, memory):
    return u if all(np.all(np.isfinite(x)) for x in u.values()) else None


# The cases ----------------------------------------------------------------------------------------------------------------

LR = optax.scale_by_learning_rate(0.1)
DOWN = scale(-0.1)


def exact(schedule):
    """Optax divides its 32-bit counts in single precision."""
    return lambda count: schedule(jax.numpy.asarray(count, jax.numpy.float64))


FALLING = exact(optax.exponential_decay(0.2, 1, 0.9))
FALL = scheduled(lambda t: -0.2 * 0.9**t)


def of_optax(name):
    c = optax.chain
    labels = lambda params: {k: k for k in params}
    return {
        "issue": lambda: c(optax.clip_by_global_norm(1.0), optax.scale_by_rss(), optax.add_decayed_weights(1e-2),
                           optax.scale_by_learning_rate(exact(optax.cosine_decay_schedule(0.3, 30)))),
        "rss": lambda: c(optax.scale_by_rss(0.5, 1e-3), LR),
        "rms": lambda: c(optax.scale_by_rms(0.8, 1e-3, 0.5), LR),
        "rms_outside": lambda: c(optax.scale_by_rms(0.8, 1e-2, eps_in_sqrt=False), LR, optax.trace(0.5)),
        "stddev": lambda: c(optax.scale_by_stddev(0.8, 1e-2, 0.5), LR),
        "stddev_outside": lambda: c(optax.scale_by_stddev(0.8, 0.1, 2.0, eps_in_sqrt=False), LR),
        "adam": lambda: c(optax.scale_by_adam(0.8, 0.95, 1e-4, 1e-3), LR),
        "nadam": lambda: c(optax.scale_by_adam(0.8, 0.95, nesterov=True), LR),
        "nadam_root": lambda: c(optax.scale_by_adam(eps_root=1e-2, nesterov=True),
                                optax.add_decayed_weights(0.1, {"w": False, "v": True}), LR),
        "lion": lambda: c(optax.scale_by_lion(0.8, 0.9), optax.add_decayed_weights(0.1), LR),
        "sign": lambda: c(optax.trace(0.7), optax.scale_by_sign(), optax.scale_by_schedule(exact(optax.polynomial_schedule(0.2, 0.01, 2, 20))),
                          optax.scale(-1.0)),
        "nesterov": lambda: c(optax.clip(0.5), optax.trace(0.9, True), LR),
        "decay_schedule": lambda: c(optax.scale_by_adam(), optax.add_decayed_weights(exact(optax.linear_schedule(0.5, 0.0, 20))), LR),
        "block_rms": lambda: c(optax.clip_by_block_rms(0.3), optax.scale_by_rss(), optax.clip_by_block_rms(0.5), LR),
        "agc": lambda: c(optax.partition({"w": optax.adaptive_grad_clip(0.05, 1e-2, axis=1), "v": optax.adaptive_grad_clip(0.05, 1e-2, axis=0)},
                                         labels), LR),
        "partition": lambda: optax.partition({"v": c(optax.clip_by_global_norm(0.5), optax.scale_by_adam(), LR),
                                              "w": c(optax.trace(0.5), optax.scale(-0.05))}, labels),
        "accumulate": lambda: optax.MultiSteps(c(optax.clip_by_global_norm(0.5), optax.scale_by_adam(),
                                                 optax.scale_by_learning_rate(FALLING)), 4,
                                               accumulator_dtype=jax.numpy.float64).gradient_transformation(),
        "skip": lambda: optax.apply_if_finite(c(optax.scale_by_adam(), optax.scale_by_learning_rate(FALLING)), 10),
    }[name]()


CASES = {
    "issue": [global_norm(1), rss(0.1, 1e-7), decay(1e-2), scheduled(lambda t: -0.15 * (1 + np.cos(np.pi * min(t / 30, 1))))],
    "rss": [rss(0.5, 1e-3), DOWN],
    "rms": [rms(0.8, 1e-3, 0.5, True), DOWN],
    "rms_outside": [rms(0.8, 1e-2, 0, False), DOWN, trace(0.5)],
    "stddev": [rms(0.8, 1e-2, 0.5, True, True), DOWN],
    "stddev_outside": [rms(0.8, 0.1, 2, False, True), DOWN],
    "adam": [adam(0.8, 0.95, 1e-4, 1e-3), DOWN],
    "nadam": [adam(0.8, 0.95, nesterov=True), DOWN],
    "nadam_root": [adam(eps_root=1e-2, nesterov=True), decay(0.1, "v"), DOWN],
    "lion": [lion(0.8, 0.9), decay(0.1), DOWN],
    "sign": [trace(0.7), each(lambda u, w, s: np.sign(u)), scheduled(lambda t: -0.01 - 0.19 * (1 - min(t / 20, 1)) ** 2)],
    "nesterov": [each(lambda u, w, s: np.clip(u, -0.5, 0.5)), trace(0.9, True), DOWN],
    "decay_schedule": [adam(), decay(lambda t: 0.5 * (1 - min(t / 20, 1))), DOWN],
    "block_rms": [block_rms(0.3), rss(0.1, 1e-7), block_rms(0.5), DOWN],
    "agc": [agc(0.05, 1e-2), DOWN],
    "partition": [partition({"v": [global_norm(0.5), adam(), DOWN], "w": [trace(0.5), scale(-0.05)]})],
    "accumulate": [accumulate(4), global_norm(0.5), adam(), FALL],
    "skip": [skip, adam(), FALL],
}

HEADER = f"""\
# Reference trajectories of chains of transformations, in double precision. Written by chains.py; do not edit. README.md says
# how. optax {version('optax')}
#
# A case is `case NAME` and {STEPS} lines: w [2, 3], row by row, and v [3] after each step. They start from w = {W0.tolist()},
# v = {V0.tolist()}; gradient i of step t is a[i]*x[i] + b[i]*cos(0.7*t + i), where x is w and v in one row.
# a {' '.join(repr(float(x)) for x in A)}
# b {' '.join(repr(float(x)) for x in B)}
# In case skip gradient 1 of the steps 3, 8, 13, ... is infinite.
"""


def main():
    text = [HEADER]
    ends = {}
    for name, parts in CASES.items():
        def spoil(t, name=name):
            return name == "skip" and t % 5 == 3
        theirs, mine = library(of_optax(name), spoil), formula(parts, spoil)
        worst = max(np.max(np.abs(a - b) / np.maximum(1, np.abs(b))) for a, b in zip(theirs, mine))
        assert worst <= TOLERANCE, f"{name}: the formula differs by {worst:.3g}"
        for other, end in ends.items():
            assert np.max(np.abs(end - theirs[-1])) > 1e-9, f"{name} ends where {other} does"
        ends[name] = theirs[-1]
        text += [f"case {name}", *(" ".join(repr(float(x)) for x in row) for row in theirs), ""]
    Path(__file__).with_suffix(".txt").write_text("\n".join(text))
    print(f"{len(CASES)} cases written")


if __name__ == "__main__":
    main()
