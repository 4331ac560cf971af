"""Reductions, shapes, indices, products, linear algebra, losses of classes."""
import numpy as np
import torch
import torch.nn.functional as F

from questions import Excuse, Operation, Question, anywhere, which_zero

OPERATIONS = []


def operation(name, **how):
    def add(ask):
        OPERATIONS.append(Operation(name, ask, **how))
        return ask
    return add


def every(shape, axes):
    return axes if axes else list(range(len(shape)))


def reduction(name, f, empty=True, booleans=False, **how):
    def ask(d):
        shape = d.shape(empty=empty)
        axes, keepdim = d.axes(shape), d.flag()
        x = d.booleans(shape) if booleans else d.values(shape, huge=False)
        return Question(lambda t: f(t[0], every(shape, axes), keepdim), [x], [float(keepdim)] + axes)
    OPERATIONS.append(Operation(name, ask, **how))


def prod(x, axes, keepdim):
    for a in sorted((a % max(x.dim(), 1) for a in axes), reverse=True):
        x = torch.prod(x, a, keepdim=keepdim)
    return x


def one_by_one(f):
    def over(x, axes, keepdim):
        for a in sorted((a % max(x.dim(), 1) for a in axes), reverse=True):
            x = f(x, a, keepdim=keepdim)
        return x
    return over


reduction("sum", lambda x, axes, keepdim: x.sum(axes, keepdim=keepdim) if x.dim() else x.sum())
reduction("mean", lambda x, axes, keepdim: x.mean(axes, keepdim=keepdim) if x.dim() else x.mean(), empty=False)
reduction("max", lambda x, axes, keepdim: torch.amax(x, axes, keepdim=keepdim), empty=False,
          excuses=[Excuse("gradient", anywhere,
                          "of equal largest elements the first gets it, as from torch.max along one axis; amax shares it")])
reduction("min", lambda x, axes, keepdim: torch.amin(x, axes, keepdim=keepdim), empty=False,
          excuses=[Excuse("gradient", anywhere,
                          "of equal smallest elements the first gets it; amin shares it")])
reduction("prod", prod, excuses=[
    Excuse("gradient", lambda x, ours, theirs: np.isnan(theirs),
           "the product of the others; PyTorch divides by the element, also where both are infinite")])
reduction("logsumexp", lambda x, axes, keepdim: torch.logsumexp(x, axes, keepdim=keepdim) if x.dim() else x.reshape(1).logsumexp(0)[()],
          excuses=[Excuse("gradient", lambda x, ours, theirs: np.isnan(theirs) & (x[0] == -np.inf),
                          "0 where all is -inf; PyTorch's is NaN")])
reduction("any", one_by_one(torch.any), booleans=True, edges=False)
reduction("all", one_by_one(torch.all), booleans=True, edges=False)


@operation("argmax")
def _(d, f=torch.argmax):
    shape = d.shape(1, empty=False)
    axis, keepdim = d.axis(shape), d.flag()
    return Question(lambda x: f(x[0], axis, keepdim), [d.values(shape, huge=False)], [float(keepdim), axis], constant=(0,))


@operation("argmin")
def _(d):
    question = OPERATIONS[-2].ask(d)
    axis, keepdim = int(question.numbers[1]), bool(question.numbers[0])
    question.f = lambda x: torch.argmin(x[0], axis, keepdim)
    return question


for spread in ("var", "std"):
    @operation(spread)
    def _(d, f=getattr(torch, spread)):
        shape = d.shape(1, empty=False)
        axes, keepdim = d.axes(shape), d.flag()
        correction = d.whole(0, 1) if np.prod([shape[a] for a in every(shape, axes)]) > 1 else 0
        return Question(lambda x: f(x[0], every(shape, axes), correction=correction, keepdim=keepdim), [d.values(shape, huge=False)],
                        [float(keepdim), float(correction)] + axes)


@operation("norm", excuses=[Excuse("gradient", lambda x, *_: np.isnan(x[0]), "that of a NaN is NaN; PyTorch's is 0, the sign of NaN"),
                            Excuse("gradient", lambda x, *_: x[0] == 0, "0 at 0, whatever the norm is; PyTorch multiplies by it")])
def _(d):
    shape = d.shape(1)
    axes, keepdim, p = d.axes(shape), d.flag(), float(d.rng.choice([1, 1.5, 2, 3]))
    return Question(lambda x: torch.linalg.vector_norm(x[0], p, every(shape, axes), keepdim), [d.values(shape, huge=False)],
                    [float(keepdim), p] + axes)


for name, along in {"cumsum": torch.cumsum, "softmax": torch.softmax, "log_softmax": torch.log_softmax}.items():
    @operation(name)
    def _(d, f=along):
        shape = d.shape(1)
        axis = d.axis(shape)
        return Question(lambda x: f(x[0], axis), [d.values(shape, huge=False)], [axis])


@operation("matmul", excuses=[Excuse("value", which_zero, "a sum begins with 0; PyTorch's of one product is that product")])
def _(d):
    m, k, n = d.whole(0, 6), d.whole(0, 6), d.whole(0, 6)
    batch = d.shape(0, 2, empty=False)
    vector_a, vector_b = d.whole(0, 4) == 0, d.whole(0, 4) == 0
    ta, tb = d.flag() and not vector_a, d.flag() and not vector_b
    a = (k,) if vector_a else d.beside(batch) + ((k, m) if ta else (m, k))
    b = (k,) if vector_b else d.beside(batch) + ((n, k) if tb else (k, n))
    return Question(lambda x: torch.matmul(x[0].mT if ta else x[0], x[1].mT if tb else x[1]),
                    [d.values(a, huge=False), d.values(b, huge=False)],
                    [float(ta), float(tb)])


@operation("linear")
def _(d):
    batch, k, n = d.shape(0, 2), d.whole(1, 6), d.whole(1, 6)
    inputs = [d.values(batch + (k,), huge=False), d.values((n, k), huge=False)] + ([d.values((n,), huge=False)] if d.flag() else [])
    return Question(lambda x: F.linear(*x), inputs)


@operation("linear_relu")
def _(d):
    batch, k, n = d.shape(0, 2), d.whole(1, 6), d.whole(1, 6)
    inputs = [d.values(batch + (k,), huge=False), d.values((n, k), huge=False), d.values((n,), huge=False)]
    return Question(lambda x: F.relu(F.linear(*x)), inputs)


@operation("dot")
def _(d):
    n = d.whole(0, 40)
    return Question(lambda x: torch.dot(x[0], x[1]), [d.values((n,), huge=False), d.values((n,), huge=False)])


@operation("outer")
def _(d):
    return Question(lambda x: torch.outer(x[0], x[1]), [d.values((d.whole(0, 9),), huge=False), d.values((d.whole(0, 9),), huge=False)])


def regular(d, n):                               # far from singular
    batch = d.shape(0, 2, empty=False)
    return d.values(batch + (n, n), -1, 1, edges=False) + 2 * n * np.eye(n)


@operation("solve", edges=False)
def _(d):
    a = regular(d, d.whole(1, 6))
    vector = a.ndim == 2 and d.flag()
    b = a.shape[:-1] if vector else a.shape[:-1] + (d.whole(1, 4),)
    return Question(lambda x: torch.linalg.solve(x[0], x[1]), [a, d.values(b, huge=False)])


for name, f in {"inverse": torch.linalg.inv, "det": torch.linalg.det, "logdet": torch.logdet}.items():
    @operation(name, edges=False)
    def _(d, f=f):
        a = regular(d, d.whole(1, 5))
        return Question(lambda x: f(x[0]), [a / (2 * a.shape[-1])])


@operation("cholesky", edges=False)
def _(d):
    a = regular(d, d.whole(1, 5))
    return Question(lambda x: torch.linalg.cholesky(x[0]), [a @ np.swapaxes(a, -1, -2) / a.shape[-1]])


@operation("qr", edges=False)
def _(d):
    n = d.whole(1, 4)
    a = regular(d, n)
    tall = np.concatenate([a, d.values(a.shape[:-2] + (d.whole(0, 3), n), huge=False)], -2)
    return Question(lambda x: list(torch.linalg.qr(x[0])), [tall])


@operation("eigh", edges=False)
def _(d):
    n = d.whole(1, 5)
    a = d.values((n, n), -0.2, 0.2, huge=False) + np.diag(np.arange(n) * 3.0)

    def f(x):                                    # vectors up to their sign
        values, vectors = torch.linalg.eigh((x[0] + x[0].mT) / 2)
        return [values, vectors.abs()]
    return Question(f, [(a + a.T) / 2])


@operation("lstsq", edges=False)
def _(d):
    n, batch = d.whole(1, 4), d.shape(0, 2, empty=False)
    a = d.values(batch + (n + d.whole(0, 3), n), -1, 1, huge=False)
    a[..., :n, :] += 2 * n * np.eye(n)
    vector, rcond = not batch and d.flag(), [float(d.rng.choice([1e-12, 1e-3]))] if d.flag() else []
    b = a.shape[:-1] if vector else a.shape[:-1] + (d.whole(1, 3),)

    def f(x):
        found = torch.linalg.lstsq(x[0], x[1][:, None] if vector else x[1], rcond=rcond[0] if rcond else None, driver="gelsd")
        return [found.solution[:, 0] if vector else found.solution, found.rank]
    return Question(f, [a, d.values(b, huge=False)], rcond)


REDUCTIONS = ["none", "mean", "sum"]


def classes_case(d):
    n, classes = d.whole(1, 6), d.whole(1, 7)
    shape = (classes,) if d.whole(0, 5) == 0 else (n, classes) + d.shape(0, 2, empty=False)
    labels = d.labels(shape[:1] + shape[2:] if len(shape) > 1 else (), classes)
    weight = [d.values((classes,), 0.2, 2, edges=False)] if d.flag() else []
    return shape, classes, labels, weight, d.whole(0, 2)


@operation("cross_entropy", excuses=[Excuse("value", which_zero, "-0.0 of one class")])
def _(d):
    shape, classes, labels, weight, reduced = classes_case(d)
    smoothing = float(d.rng.choice([0, 0.1, 0.5]))
    target = labels if d.flag() else d.values(shape, 0.0, 1.0, edges=False)
    return Question(lambda x: F.cross_entropy(x[0], x[1], weight=x[2] if weight else None, reduction=REDUCTIONS[reduced],
                                              label_smoothing=smoothing),
                    [d.values(shape, huge=False), target] + weight, [float(reduced), smoothing], constant=(2,))


@operation("nll_loss")
def _(d):
    shape, classes, labels, weight, reduced = classes_case(d)
    ignore = int(labels.flat[0]) if d.whole(0, 3) == 0 else -100
    return Question(lambda x: F.nll_loss(x[0], x[1], weight=x[2] if weight else None, reduction=REDUCTIONS[reduced],
                                         ignore_index=ignore),
                    [d.values(shape, huge=False), labels] + weight, [float(reduced), ignore], constant=(2,))
