"""L-BFGS with its line search, by PyTorch: writes lbfgs.txt beside this file. It runs as optimizers.py does.

A start that is off by a rounding or two must end within CONDITION of the same numbers, else the case is not written.
"""
from pathlib import Path

import numpy as np

import libraries
from libraries import TORCH

torch = libraries.now(libraries.torch)

CONDITION = 1e-13


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def bowl(x):                       # steep and flat directions, coupled, no quadratic
    return (torch.arange(1, 7) * x ** 2).sum() / 2 + x.sum() ** 4 / 10 + torch.exp(x).sum()


CASES = [                          # name, function, start, options, steps
    ("bowl", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(max_iter=1), 12),
    ("bowl_long", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(max_iter=4, history_size=3), 3),
    ("bowl_few_evaluations", bowl, [10.0, -2.0, 5.0, 3.0, -7.5, 1.5], dict(max_iter=5, max_eval=4, lr=0.01), 4),
    ("bowl_tolerance_grad", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(tolerance_grad=1e-1), 1),
    ("bowl_tolerance_change", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(tolerance_change=1e-2), 1),
    ("rosenbrock", rosenbrock, [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0], dict(max_iter=3), 5),
    ("rosenbrock_lr", rosenbrock, [-1.2, 1.0, 0.5, 2.0, 0.3, -1.0], dict(max_iter=4, lr=0.1), 3),
    ("rosenbrock_to_the_end", rosenbrock, [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0], dict(max_iter=200, tolerance_grad=1e-10, tolerance_change=0), 1),
]


def run(function, start, options, steps, perturb=0.0):
    noise = 1 + perturb * np.cos(np.arange(6))
    w = torch.nn.Parameter(torch.tensor(np.array(start) * noise))
    options = dict(history_size=10) | options
    optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe", **options)
    points, evaluations = [], 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = function(w)
        loss.backward()
        return loss

    for _ in range(steps):
        evaluations = 0
        optimizer.step(closure)
        points.append((evaluations, float(function(w.detach())), w.detach().numpy().copy()))
    return points


HEADER = f"""\
# L-BFGS with strong Wolfe search in double precision. Written by lbfgs.py; do not edit. torch.optim.LBFGS, {TORCH}
# A case: its name, the function (in lbfgs_test.cpp), options, the start; after each step: evaluations, the loss, w.
"""


def main():
    lines = [HEADER.rstrip()]
    for name, function, start, options, steps in CASES:
        points = run(function, start, options, steps)
        for perturb in (2e-16, -4e-16):
            for (e, f, w), (e2, f2, w2) in zip(points, run(function, start, options, steps, perturb)):
                apart = max(np.max(np.abs(w - w2) / np.maximum(1, np.abs(w))), abs(f - f2) / max(1, abs(f)))
                print(f"{name:24} {e:3} {apart:.1e} {f:.3g}")
                assert e == e2 and apart < CONDITION, name
        lines += ["", f"case {name} {function.__name__}", "options " + " ".join(f"{k}={v!r}" for k, v in options.items()),
                  "start " + " ".join(map(repr, start))]
        lines += [f"step {e} {f!r} " + " ".join(repr(float(x)) for x in w) for e, f, w in points]
    Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
