"""Shapes, and elements chosen by index."""
import numpy as np
import torch
import torch.nn.functional as F

from questions import Excuse, Operation, Question, anywhere

OPERATIONS = []


def operation(name, **how):
    def add(ask):
        OPERATIONS.append(Operation(name, ask, **how))
        return ask
    return add


@operation("reshape")
def _(d):
    shape = d.shape()
    order = [int(n) for n in d.rng.permutation(shape)] + [1] * d.whole(0, 1)
    return Question(lambda x: x[0].reshape(order), [d.values(shape)], order)


@operation("expand")
def _(d):
    shape = d.shape(0, 4)
    return Question(lambda x: x[0].expand(shape), [d.values(d.beside(shape))], list(shape))


@operation("transpose")
def _(d):
    shape = d.shape(1)
    a, b = d.axis(shape), d.axis(shape)
    return Question(lambda x: x[0].transpose(a, b), [d.values(shape)], [a, b])


@operation("rows")
def _(d):
    shape = d.shape(1)
    begin = d.whole(0, shape[0])
    end = d.whole(begin, shape[0])
    return Question(lambda x: x[0][begin:end], [d.values(shape)], [begin, end])


@operation("slice")
def _(d):
    shape = d.shape(1)
    axis = d.axis(shape)
    begin = d.whole(0, shape[axis])
    end, step = d.whole(begin, shape[axis]), d.whole(1, 4)
    return Question(lambda x: x[0][(slice(None),) * (axis % len(shape)) + (slice(begin, end, step),)], [d.values(shape)],
                    [axis, begin, end, step])


@operation("permute")
def _(d):
    shape = d.shape(1)
    order = [int(a) for a in d.rng.permutation(len(shape))]
    return Question(lambda x: x[0].permute(order), [d.values(shape)], order)


@operation("squeeze")
def _(d):
    shape = d.shape()
    axes = d.axes(shape)
    return Question(lambda x: x[0].squeeze(axes) if axes else x[0].squeeze(), [d.values(shape)], axes)


@operation("unsqueeze")
def _(d):
    shape = d.shape()
    axis = d.whole(-len(shape) - 1, len(shape))
    return Question(lambda x: x[0].unsqueeze(axis), [d.values(shape)], [axis])


@operation("flip")
def _(d):
    shape = d.shape()
    axes = d.axes(shape)
    return Question(lambda x: x[0].flip(axes if axes else list(range(len(shape)))), [d.values(shape)], axes)


@operation("repeat")
def _(d):
    shape = d.shape(0, 3)
    counts = [d.whole(0, 3) if d.whole(0, 6) == 0 else d.whole(1, 3) for _ in range(len(shape) + d.whole(0, 1))]
    return Question(lambda x: x[0].repeat(counts), [d.values(shape)], counts)


@operation("pad")
def _(d):
    shape = d.shape()
    widths = [d.whole(0, 3) for _ in range(2 * d.whole(0, len(shape)))]
    value = d.number(-1, 1)
    return Question(lambda x: F.pad(x[0], widths, value=value) if widths else x[0].clone(), [d.values(shape)], [value] + widths)


for name, f in {"tril": torch.tril, "triu": torch.triu}.items():
    @operation(name)
    def _(d, f=f):
        k = d.whole(-4, 4)
        return Question(lambda x: f(x[0], k), [d.values(d.shape(2))], [k])


@operation("concat")
def _(d):
    shape = list(d.shape(1))
    axis, inputs = d.axis(shape), []
    for _ in range(d.whole(1, 4)):
        shape[axis] = d.whole(0, 4)
        inputs.append(d.values(tuple(shape)))
    return Question(lambda x: torch.cat(x, axis), inputs, [axis])


@operation("stack")
def _(d):
    shape = d.shape(0, 3)
    axis = d.whole(-len(shape) - 1, len(shape))
    return Question(lambda x: torch.stack(x, axis), [d.values(shape) for _ in range(d.whole(1, 4))], [axis])


@operation("split")
def _(d):
    shape = d.shape(1, empty=False)
    axis, size = d.axis(shape), d.whole(1, 4)
    return Question(lambda x: list(torch.split(x[0], size, axis)), [d.values(shape)], [axis, size])


@operation("split_sizes")
def _(d):
    shape = d.shape(1)
    axis = d.axis(shape)
    cuts = sorted(d.whole(0, shape[axis]) for _ in range(d.whole(0, 3)))
    sizes = [int(n) for n in np.diff([0] + cuts + [shape[axis]])]
    return Question(lambda x: list(torch.split(x[0], sizes, axis)), [d.values(shape)], [axis] + sizes)


@operation("index_select")
def _(d):
    shape = d.shape(1, empty=False)
    axis = d.axis(shape)
    return Question(lambda x: torch.index_select(x[0], axis, x[1]), [d.values(shape), d.labels((d.whole(0, 6),), shape[axis])], [axis])


def index_for(d, shape, axis):                   # as long as may be, a part along the other axes
    sizes = [d.whole(0, n) if d.whole(0, 4) == 0 else n for n in shape]
    sizes[axis] = d.whole(0, 6)
    return d.labels(tuple(sizes), shape[axis])


@operation("gather")
def _(d):
    shape = d.shape(1, empty=False)
    axis = d.axis(shape)
    return Question(lambda x: torch.gather(x[0], axis, x[1]), [d.values(shape), index_for(d, shape, axis)], [axis])


@operation("scatter_add")
def _(d):
    shape = d.shape(1, empty=False)
    axis = d.axis(shape)
    index = index_for(d, shape, axis)
    return Question(lambda x: torch.scatter_add(x[0], axis, x[1], x[2]), [d.values(shape), index, d.values(index.shape)], [axis])


@operation("one_hot", edges=False)
def _(d):
    classes = d.whole(1, 6)
    return Question(lambda x: F.one_hot(x[0], classes), [d.labels(d.shape(0, 3), classes)], [classes])


@operation("sort")
def _(d):
    shape = d.shape(1)
    axis, descending = d.axis(shape), d.flag()
    return Question(lambda x: list(torch.sort(x[0], dim=axis, descending=descending, stable=True)), [d.values(shape)],
                    [axis, float(descending)])


@operation("argsort")
def _(d):
    shape = d.shape(1)
    axis, descending = d.axis(shape), d.flag()
    return Question(lambda x: torch.argsort(x[0], dim=axis, descending=descending, stable=True), [d.values(shape)],
                    [axis, float(descending)], constant=(0,))


@operation("topk", excuses=[Excuse(what, anywhere, "of equal elements the first is taken; PyTorch takes any")
                            for what in ("index", "gradient")])
def _(d):
    shape = d.shape(1)
    axis, largest = d.axis(shape), d.flag()
    k = d.whole(0, shape[axis])
    return Question(lambda x: list(torch.topk(x[0], k, dim=axis, largest=largest)), [d.values(shape)], [axis, float(largest), k])
