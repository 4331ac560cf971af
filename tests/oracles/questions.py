"""What is asked of PyTorch and of Capstan alike: random shapes, values and arguments."""
from dataclasses import dataclass, field

import numpy as np

# What most often goes wrong; sprinkled over a share of the inputs.
EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 5e-324, -1e-310, 1e-40, 1e-200, 1e200, -1e200, 3e38,
                  1.7976931348623157e308, -750.0, 710.0, 3.0, -2.0])
# Without those whose sums and products hang on their order.
ORDINARY = EDGES[~np.isfinite(EDGES) | (EDGES == 0) | ((np.abs(EDGES) > 1e-100) & (np.abs(EDGES) < 100))]
REDUCTIONS = ["none", "mean", "sum"]


@dataclass
class Question:
    f: object                                    # tensors -> a tensor or a list of them, in PyTorch
    inputs: list                                 # of arrays; a gradient is wanted for those in f64
    numbers: list = field(default_factory=list)  # the other arguments; of a list its length, too
    constant: tuple = ()                         # inputs for which no gradient is wanted

    def __post_init__(self):
        self.inputs = [np.asarray(x) for x in self.inputs]
        self.numbers = [float(n) for one in self.numbers for n in ([len(one), *one] if isinstance(one, (list, tuple)) else [one])]


@dataclass
class Excuse:
    """A difference from PyTorch at edge values that is meant."""
    what: str                                    # "value" or "gradient"
    where: object                                # (inputs, ours, theirs) -> at which elements
    reason: str


def anywhere(inputs, ours, theirs):
    return True


def which_zero(inputs, ours, theirs):
    return (ours == 0) & (theirs == 0)


@dataclass
class Operation:
    name: str                                    # in answers_*.cpp
    ask: object                                  # Draw -> Question
    excuses: list = field(default_factory=list)
    edges: bool = True                           # whether edge values are tried
    grid: int = 0                                # of so many inputs all pairs of edge values are tried
    form: str = ""                               # tells several of one name apart
    relative: bool = False                       # numbers far from 1: held against the largest finite one of PyTorch's tensor


def weights(shape):
    """Those of answers.cpp, with which results are added up."""
    count = int(np.prod(shape, dtype=np.int64))
    return (0.5 + (7919 * np.arange(count) % 13) / 13).reshape(shape)


def every(shape, axes):
    return axes if axes else list(range(len(shape)))


def one_by_one(f, x, axes, keepdim):             # where PyTorch takes one axis alone
    for a in sorted((a % max(x.dim(), 1) for a in every(x.shape, axes)), reverse=True):
        x = f(x, a, keepdim=keepdim)
    return x


class Draw:
    """Random arguments, from a seed."""

    def __init__(self, seed, edges=False):
        self.rng, self.edges = np.random.default_rng(seed), edges

    def flag(self):
        return bool(self.rng.integers(2))

    def whole(self, low, high):                  # both included
        return int(self.rng.integers(low, high + 1))

    def number(self, low, high):
        return float(self.rng.uniform(low, high))

    def shape(self, low=0, high=4, empty=True):
        sizes = self.rng.choice([1, 2, 3, 4, 5, 7], size=self.whole(low, high))
        if empty and len(sizes) and self.rng.random() < 0.08:
            sizes[self.whole(0, len(sizes) - 1)] = 0
        return tuple(int(n) for n in sizes)

    def values(self, shape, low=-3.0, high=3.0, edges=True, huge=True):
        x = np.asarray(self.rng.uniform(low, high, size=shape))
        if self.edges and edges:
            edge = EDGES if huge else ORDINARY
            x = np.where(self.rng.random(x.shape) < 0.2, self.rng.choice(edge, size=x.shape), x)
        return np.ascontiguousarray(x).reshape(shape)

    def labels(self, shape, classes):
        return np.asarray(self.rng.integers(0, classes, size=shape), dtype=np.int64).reshape(shape)

    def booleans(self, shape):
        return np.asarray(self.rng.random(shape) < 0.5).reshape(shape)

    def beside(self, shape):                     # a shape that broadcasts with it
        other = [n if self.rng.random() < 0.7 else 1 for n in shape]
        return tuple(other[self.whole(0, len(other)):] if self.flag() else other)

    def pair(self):
        a = self.shape()
        b = self.beside(a)
        return (a, b) if self.flag() else (b, a)

    def axis(self, shape):
        return self.whole(-len(shape), len(shape) - 1)

    def axes(self, shape):                       # some or, as none, all
        count = self.whole(0, len(shape))
        return [int(a) - (len(shape) if self.flag() else 0) for a in self.rng.permutation(len(shape))[:count]]

    def alike(self, *ranges):                    # values of one shape
        shape = self.shape(empty=False)
        return [self.values(shape, low, high) for low, high in ranges]

    def signs(self, shape):
        return np.asarray(self.booleans(shape) * 2.0 - 1.0).reshape(shape)

    def classes(self):                           # what a loss of classes takes: numbers, labels and weights
        n, classes = self.whole(1, 6), self.whole(1, 7)
        shape = (classes,) if self.whole(0, 5) == 0 else (n, classes) + self.shape(0, 2, empty=False)
        labels = self.labels(shape[:1] + shape[2:] if len(shape) > 1 else (), classes)
        return [self.values(shape, huge=False), labels, self.values((classes,), 0.2, 2, edges=False)]

    def ignored(self, labels):                   # a label that counts nothing, or none
        return int(labels.flat[0]) if self.whole(0, 3) == 0 else -100

    def smoothing(self):
        return float(self.rng.choice([0, 0.1, 0.5]))

    def spread(self, shape):                     # axes, keepdim and a correction that leaves more than 0
        axes = self.axes(shape)
        return axes, self.flag(), self.whole(0, 1) if np.prod([shape[a] for a in every(shape, axes)]) > 1 else 0

    def resized(self, shape, axis, size):
        return tuple(size if i == axis % len(shape) else n for i, n in enumerate(shape))

    def parts(self, size):                       # numbers that add up to it
        cuts = sorted(self.whole(0, size) for _ in range(self.whole(0, 3)))
        return [int(n) for n in np.diff([0] + cuts + [size])]

    def index(self, shape, axis):                # as long as may be, a part along the other axes
        sizes = [self.whole(0, n) if self.whole(0, 4) == 0 else n for n in shape]
        return self.labels(self.resized(sizes, axis, self.whole(0, 6)), shape[axis])

    def product(self):                           # the shapes of two factors, and whether each is transposed
        m, k, n = self.whole(0, 6), self.whole(0, 6), self.whole(0, 6)
        batch = self.shape(0, 2, empty=False)
        vector_a, vector_b = self.whole(0, 4) == 0, self.whole(0, 4) == 0
        ta, tb = self.flag() and not vector_a, self.flag() and not vector_b
        a = (k,) if vector_a else self.beside(batch) + ((k, m) if ta else (m, k))
        b = (k,) if vector_b else self.beside(batch) + ((n, k) if tb else (k, n))
        return (a, b), ta, tb

    def csr(self):                               # crow, col and values of a matrix, and what it is multiplied by
        rows, columns = self.whole(0, 5), self.whole(1, 6)
        there = self.rng.random((rows, columns)) < 0.4
        crow = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
        col = np.nonzero(there)[1].astype(np.int64)
        wide = () if self.flag() else (self.whole(0, 4),)
        return [crow, col, self.values(col.shape, huge=False), self.values((columns,) + wide, huge=False)]

    def bags(self):                              # index, table, offsets and weights
        rows, n = self.whole(1, 6), self.whole(0, 8)
        offsets = np.sort(np.append(self.rng.integers(0, n + 1, size=self.whole(0, 4)), 0)).astype(np.int64)
        return [self.labels((n,), rows), self.values((rows, self.whole(1, 4)), huge=False), offsets, self.values((n,), huge=False)]

    def regular(self, n):                        # square matrices far from singular
        batch = self.shape(0, 2, empty=False)
        return self.values(batch + (n, n), -1, 1, edges=False) + 2 * n * np.eye(n)
