"""What is asked of PyTorch and of Capstan alike: random shapes, values and arguments."""
from dataclasses import dataclass, field

import numpy as np

# What most often goes wrong; sprinkled over a share of the inputs.
EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 5e-324, -1e-310, 1e-40, 1e-200, 1e200, -1e200, 3e38,
                  1.7976931348623157e308, -750.0, 710.0, 3.0, -2.0])
# Without those whose sums and products hang on their order.
ORDINARY = EDGES[~np.isfinite(EDGES) | (EDGES == 0) | ((np.abs(EDGES) > 1e-100) & (np.abs(EDGES) < 100))]


@dataclass
class Question:
    f: object                                    # tensors -> a tensor or a list of them, in PyTorch
    inputs: list                                 # of arrays; a gradient is wanted for those in f64
    numbers: list = field(default_factory=list)  # the other arguments, as answers.cpp takes them
    constant: tuple = ()                         # inputs for which no gradient is wanted

    def __post_init__(self):
        self.inputs = [np.asarray(x) for x in self.inputs]


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
