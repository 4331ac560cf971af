"""L-BFGS without line search, as torch.optim.LBFGS with line_search_fn=None defines it: writes lbfgs_plain.txt beside this file.

Plain Python, from the formulas; where PyTorch is installed it must agree with it to 1e-12 before anything is written.
"""
import math
from pathlib import Path


def rosenbrock(x):
    f, g = 0.0, [0.0] * len(x)
    for i in range(len(x) - 1):
        a, b = x[i + 1] - x[i] ** 2, 1 - x[i]
        f += 100 * a * a + b * b
        g[i] += -400 * a * x[i] - 2 * b
        g[i + 1] += 200 * a
    return f, g


def bowl(x):
    s = sum(x)
    f = sum((i + 1) * v * v for i, v in enumerate(x)) / 2 + s ** 4 / 10 + sum(math.exp(v) for v in x)
    return f, [(i + 1) * v + 0.4 * s ** 3 + math.exp(v) for i, v in enumerate(x)]


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


class Plain:
    def __init__(self, w, lr=1.0, max_iter=20, max_eval=0, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=10):
        self.w, self.lr, self.max_iter, self.history = list(w), lr, max_iter, history_size
        self.max_eval = max_eval or max_iter * 5 // 4
        self.tolerance_grad, self.tolerance_change = tolerance_grad, tolerance_change
        self.pairs, self.last_g, self.last_s, self.iterations = [], None, None, 0

    def direction(self, g):
        if self.last_g is not None:
            y = [a - b for a, b in zip(g, self.last_g)]
            if dot(y, self.last_s) > 1e-10:
                self.pairs = (self.pairs + [(y, self.last_s)])[-self.history:]
        q, alphas = [-v for v in g], []
        for y, s in reversed(self.pairs):
            alphas.append(dot(s, q) / dot(y, s))
            q = [v - alphas[-1] * u for v, u in zip(q, y)]
        if self.pairs:
            y, s = self.pairs[-1]
            q = [v * (dot(y, s) / dot(y, y)) for v in q]
        for (y, s), alpha in zip(self.pairs, reversed(alphas)):
            beta = dot(y, q) / dot(y, s)
            q = [v + (alpha - beta) * u for v, u in zip(q, s)]
        return q

    def step(self, function):
        f, g = function(self.w)
        evaluations, done = 1, 0
        while done < self.max_iter and max(map(abs, g)) > self.tolerance_grad:
            done += 1
            d = self.direction(g)
            t = min(1.0, 1 / sum(map(abs, g))) * self.lr if self.iterations == 0 else self.lr
            self.iterations += 1
            before, self.last_g, self.last_s = f, g, [0.0] * len(g)
            if dot(g, d) > -self.tolerance_change:
                break
            self.last_s = [t * v for v in d]
            self.w = [a + b for a, b in zip(self.w, self.last_s)]
            if done == self.max_iter:
                break                                 # the last point is not evaluated
            f, g = function(self.w)
            evaluations += 1
            if evaluations >= self.max_eval or max(map(abs, self.last_s)) <= self.tolerance_change \
                    or abs(f - before) < self.tolerance_change:
                break
        return evaluations, f


CASES = [                          # name, function, start, options, steps
    ("bowl_plain", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(lr=0.5, max_iter=7, history_size=3), 4),
    ("bowl_plain_evaluations", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(lr=0.5, max_iter=9, max_eval=4), 3),
    ("bowl_plain_tolerance_grad", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(lr=0.5, tolerance_grad=0.1, max_iter=50), 1),
    ("bowl_plain_tolerance_change", bowl, [1.0, -2.0, 0.5, 3.0, -0.75, 1.5], dict(lr=0.5, tolerance_change=1e-2, max_iter=50), 1),
    ("rosenbrock_plain", rosenbrock, [-1.2, 1.0, -1.2, 1.0, -1.2, 1.0], dict(lr=0.05, max_iter=5), 4),
]


def check_with_torch(function, start, options, points):
    try:
        import torch
    except ImportError:
        return False
    from lbfgs import bowl as torch_bowl, rosenbrock as torch_rosenbrock
    f = {"bowl": torch_bowl, "rosenbrock": torch_rosenbrock}[function.__name__]
    w = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = torch.optim.LBFGS([w], **(dict(history_size=10) | options))

    def closure():
        optimizer.zero_grad()
        loss = f(w)
        loss.backward()
        return loss

    for _, _, want in points:
        optimizer.step(closure)
        assert max(abs(a - b) / max(1, abs(b)) for a, b in zip(w.tolist(), want)) < 1e-12
    return True


def main():
    lines = ["# L-BFGS without line search in double precision. Written by lbfgs_plain.py; do not edit. From the formulas of",
             "# torch.optim.LBFGS. As lbfgs.txt; the loss is the last that was computed."]
    for name, function, start, options, steps in CASES:
        run, points = Plain(start, **options), []
        for _ in range(steps):
            evaluations, loss = run.step(function)
            points.append((evaluations, loss, list(run.w)))
        print(f"{name:28} {points[-1][0]:3} {points[-1][1]:.6g}", "checked" if check_with_torch(function, start, options, points) else "")
        lines += ["", f"case {name} {function.__name__}", "options " + " ".join(f"{k}={v!r}" for k, v in options.items()) + " line_search=0",
                  "start " + " ".join(map(repr, start))]
        lines += [f"step {e} {f!r} " + " ".join(map(repr, w)) for e, f, w in points]
    Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
