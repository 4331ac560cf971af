"""Spreads, norms, determinants and least squares of huge and tiny numbers, and second derivatives.

PyTorch itself overflows there. f32 is asked in f64, which holds every part, and the answer rounded; f64 of numbers near 1 that are
a power of two away. Those of degree 1, f(c x) = c f(x), have the gradients that they have near 1."""
import numpy as np
import torch

from questions import Operation, Question, every, weights

OPERATIONS = []
SIZES = {np.float32: [-149, -147, -140, -126, -100, -70, 0, 70, 100, 125], np.float64: [-1074, -1072, -1060, -1022, -700, 0, 700, 1020]}


def operation(name, form=""):
    def add(ask):
        OPERATIONS.append(Operation(name, ask, form=form, edges=False, relative=True))
        return ask
    return add


def sized(d, shape, sizes, dtype):
    """Numbers up to 3 times a power of two, of which a line may hold equal ones; and that power's exponent."""
    k = int(d.rng.choice(sizes))
    x = np.round(d.values(shape) * 8) / 8 if d.flag() else d.values(shape)
    return np.ldexp(x, k).astype(dtype), k


class Moved(torch.autograd.Function):
    """x times two powers of two, the gradient as if it were x: around a function of degree 1 its gradient is right."""
    @staticmethod
    def forward(ctx, x, first, second):
        return x * first * second

    @staticmethod
    def backward(ctx, dy):
        return dy, None, None


def wide(f, k):
    """f of the first tensor, which 2^k brought where it is, computed where nothing leaves the range; for an f of degree 1."""
    def of(x):
        if x[0].dtype == torch.float32:
            return f(x[0].double()).float()
        first, second = 2.0 ** (k // 2), 2.0 ** (k - k // 2)  # 2^k itself may be denormal, and have no inverse
        return Moved.apply(f(Moved.apply(x[0], 1 / first, 1 / second)), first, second)
    return of


def any_dtype(d):
    return np.float32 if d.flag() else np.float64


@operation("std", "extremes")
def _(d):
    shape, dtype = d.shape(1, empty=False), any_dtype(d)
    axes, keepdim, correction = d.spread(shape)
    x, k = sized(d, shape, SIZES[dtype], dtype)
    return Question(wide(lambda t: torch.std(t, every(shape, axes), correction=correction, keepdim=keepdim), k), [x],
                    [axes, keepdim, correction])


@operation("norm", "extremes")
def _(d):
    shape, dtype = d.shape(1, empty=False), any_dtype(d)
    axes, keepdim, p = d.axes(shape), d.flag(), float(d.rng.choice([1.5, 2, 3]))
    x, k = sized(d, shape, SIZES[dtype], dtype)
    return Question(wide(lambda t: torch.linalg.vector_norm(t, p, every(shape, axes), keepdim), k), [x], [p, axes, keepdim])


@operation("var", "extremes")
def _(d):
    shape = d.shape(1, empty=False)
    axes, keepdim, correction = d.spread(shape)
    x, _ = sized(d, shape, SIZES[np.float32], np.float32)
    return Question(lambda t: torch.var(t[0].double(), every(shape, axes), correction=correction, keepdim=keepdim).float(), [x],
                    [axes, keepdim, correction])


@operation("det", "extremes")
def _(d):
    n = d.whole(1, 4)
    k = int(d.rng.choice([-100, -60, -30, 0, 30, 60, 100])) // max(n - 1, 1)
    return Question(lambda x: torch.linalg.det(x[0].double()).float(), [np.ldexp(d.regular(n), k).astype(np.float32)])


def tall(d, k, dtype):
    """a and b of a least-squares problem of that size."""
    n = d.whole(1, 4)
    a = d.values((n + d.whole(0, 3), n), -1, 1)
    a[:n] += 2 * n * np.eye(n)
    return np.ldexp(a, k).astype(dtype), np.ldexp(d.values((a.shape[0], d.whole(1, 3))), k).astype(dtype)


def least_squares(a, b):
    return torch.linalg.solve(a.mT @ a, a.mT @ b)


@operation("lstsq, solution and rank")
def _(d):
    dtype = any_dtype(d)
    k = int(d.rng.choice([-100, -70, 0, 70, 100] if dtype == np.float32 else [-1000, -700, 0, 700, 1000]))

    def f(x):                                    # the factor is one for both: the solution is that of any size
        a, b = ((t.double() / 2.0 ** (k // 2)) / 2.0 ** (k - k // 2) for t in x)
        return [least_squares(a, b).to(x[0].dtype), torch.tensor(a.shape[1])]
    return Question(f, list(tall(d, k, dtype)))


def second(f):
    """The gradient of a weighted sum of f, and the gradient of a weighted sum of that."""
    def total(y):
        return (y * torch.from_numpy(weights(y.shape))).sum()

    def of(x):
        at = x[0].double().clone().requires_grad_()
        others = [t.double() for t in x[1:]]
        g, = torch.autograd.grad(total(f(at, *others)), at, create_graph=True)
        h, = torch.autograd.grad(total(g), at)
        return [g.detach().to(x[0].dtype), h.to(x[0].dtype)]
    return of


MIDDLE = [-100, -60, 0, 60, 100]                 # where f32 holds first and second derivatives


@operation("std, second")
def _(d):
    shape = (d.whole(1, 3), d.whole(3, 5))       # of two elements the second derivatives are 0, which no rounding finds
    x, k = sized(d, shape, [-490, -300, 0, 300, 490], np.float64)
    x[:, 0] = 2.0 ** k * 4                       # no line is of equal elements
    return Question(second(lambda t: torch.std(t, 1)), [x], constant=(0,))


@operation("var, second")
def _(d):
    shape = (d.whole(1, 3), d.whole(2, 5))
    x, _ = sized(d, shape, MIDDLE, np.float32)
    return Question(second(lambda t: torch.var(t, 1)), [x], constant=(0,))


@operation("norm, second")
def _(d):
    shape, p = (d.whole(1, 3), d.whole(3, 5)), float(d.rng.choice([1.5, 2, 3]))
    x, k = sized(d, shape, [-200, -100, 0, 100, 200], np.float64)
    x = np.where(x == 0, 2.0 ** k, x)            # where |x|^1.5 is bent
    return Question(second(lambda t: torch.linalg.vector_norm(t, p, 1)), [x], [p], constant=(0,))


@operation("det, second")
def _(d):
    n = d.whole(2, 4)
    k = int(d.rng.choice([-100, -60, 0, 60, 100])) // (n - 1)
    return Question(second(torch.linalg.det), [np.ldexp(d.regular(n), k).astype(np.float32)], constant=(0,))


@operation("lstsq, second")
def _(d):
    a, b = tall(d, int(d.rng.choice([-300, -100, 0, 100, 300])), np.float64)
    return Question(second(least_squares), [a, b], constant=(0, 1))
