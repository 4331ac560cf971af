"""One trajectory: its problem, its options, who computes it, and how far they may be apart."""
from dataclasses import dataclass, field

import numpy as np

from formulas import DEFAULTS, restated

# The problem. Element 4 has small gradients throughout, so that the place and the size of eps show in the result.
W0 = np.array([1.0, -2.0, 0.5, 3.0, -0.75, 1.5])
A = np.array([1.0, 0.5, 2.0, 0.125, 1e-4, 3.0])
B = np.array([0.5, -1.0, 0.25, 0.3, 1e-4, -2.0])
STEPS = (1, 2, 3, 10, 50)
FIRST = np.array([1.0, 1e-3, 1e-6, -1e-3, 1e-9, 0.0])   # gradients of the cases that look at the first step only

TOLERANCE = 1e-12            # between two double precision results: relative, and absolute where |w| < 1 on a trajectory
CONDITION = 1e-13            # between double and extended precision
SINGLE = 1e-6                # between a single precision library and a double precision result


def method_of(name):                             # the longest that the name begins with
    return max((m for m in DEFAULTS if name.startswith(m + "_")), key=len)


@dataclass
class Case:
    name: str                                    # METHOD_...
    options: dict
    source: str                                  # whose digits are in the file
    stored: object                               # start(w0) of the library; None: the formula itself
    checks: list = field(default_factory=list)   # further (label, maker, tolerance)
    preset: str = "-"
    first: bool = False                          # first step only, from 0, gradients FIRST
    start: np.ndarray = None                     # where w starts, if not at W0
    shape: tuple = (6,)
    a: np.ndarray = None                         # the problem, if not A and B
    b: np.ndarray = None

    def __post_init__(self):
        self.method = method_of(self.name)
        self.a, self.b = A if self.a is None else self.a, B if self.b is None else self.b
        assert set(self.options) <= set(DEFAULTS[self.method])
        self.options = DEFAULTS[self.method] | self.options

        self.w0, self.steps = (np.zeros(6), (1,)) if self.first else (W0 if self.start is None else self.start, STEPS)

    def run(self, start, T=np.float64):
        w, points = self.w0.astype(T), {}
        step = start(w.reshape(self.shape))
        for t in range(1, self.steps[-1] + 1):
            g = FIRST.astype(T) if self.first else self.a * w + self.b * np.cos(T(0.7) * t + np.arange(6))
            w = step(w.reshape(self.shape), g.reshape(self.shape), t)
            assert w.shape == self.shape and np.all(np.isfinite(w)), self.name
            w = points[t] = w.reshape(6)
        return {t: points[t] for t in self.steps}

    def distance(self, p, q):                    # relative; on a trajectory absolute where |q| < 1
        return np.max(np.abs(p - q) / (np.where(q == 0, 1, np.abs(q)) if self.first else np.maximum(1, np.abs(q))))

    def compare(self, label, got, expected, tolerance):
        worst = max(self.distance(got[t], expected[t]) for t in expected)
        assert worst <= tolerance, f"{self.name}: {label} differs by {worst:.3g}"
        print(f"{self.name:34} {worst:.1e}  {label}")

    def compute(self):
        double, extended = (self.run(lambda w0: restated(self.method, self.options, T), T) for T in (np.float64, np.longdouble))
        self.points = self.run(self.stored) if self.stored else double
        assert all(p.dtype == np.float64 for p in self.points.values()), self.name
        self.compare("the formula, extended precision", double, extended, CONDITION)
        if self.stored:
            self.compare("the formula", double, self.points, TOLERANCE)
        for label, make, tolerance in self.checks:
            self.compare(label, self.run(make), self.points, tolerance)
