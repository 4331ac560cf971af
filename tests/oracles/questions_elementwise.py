"""Element-wise operations, as oracle_answers lists them (tests/operations), and losses of single elements."""
import numpy as np
import torch
import torch.nn.functional as F

from questions import Excuse, Operation, Question, which_zero

OPERATIONS = []
ADD = OPERATIONS.append

# Where they differ from PyTorch on purpose, by name.
EXCUSES = {
    "sign": [Excuse("value", lambda x, *_: np.isnan(x[0]), "NaN stays NaN, as in NumPy; torch.sign makes it 0")],
    "square": [Excuse("gradient", lambda x, ours, theirs: np.isfinite(x[0]) & np.isinf(theirs),
                      "2 (x dy) may be finite where PyTorch's 2 x is not")],
    "maximum": [Excuse("value", which_zero, "which of 0 and -0 is the larger is left open")],
    "minimum": [Excuse("value", which_zero, "which of 0 and -0 is the larger is left open")],
    "sinh": [Excuse(what, lambda x, ours, theirs: np.isfinite(ours) & np.isinf(theirs), "at 710 PyTorch's f64 is infinite too early")
             for what in ("value", "gradient")],
    "cosh": [Excuse(what, lambda x, ours, theirs: np.isfinite(ours) & np.isinf(theirs), "at 710 PyTorch's f64 is infinite too early")
             for what in ("value", "gradient")],
    "elu": [Excuse("gradient", lambda x, *_: np.isnan(x[0]),
                   "NaN has a gradient of NaN; PyTorch's depends on where the element lies in a vector")],
    "pow, number": [
        Excuse(what, lambda x, *_: (x[0] == -np.inf) | (x[0] == 0),
               "pow(-inf, 0.5) is inf and pow(-0.0, 0.5) is 0, as in C and NumPy; PyTorch takes the square root, NaN and -0.0")
        for what in ("value", "gradient")],
    "hardtanh": [Excuse("gradient", lambda x, *_: np.isnan(x[0]),
                        "NaN passes the gradient; PyTorch's depends on where the element lies in a vector")],
    "gelu": [
        Excuse("value", which_zero, "-0.0 stays, as PyTorch's in f64; its f32 makes it 0"),
        Excuse("value", lambda x, ours, *_: (x[0] > 1e38) & (ours > 1e38),
               "the largest numbers and infinity stay, as PyTorch's in f64; with AVX-512 its f32 makes them infinity and NaN"),
        Excuse("gradient", lambda x, ours, theirs: (np.abs(x[0]) > 1e18) & np.isnan(theirs),
               "0 and 1 far from 0; PyTorch's tanh form multiplies 0 by x^2, which is infinite")],
}


def listed(lines):
    """The operations of tests/operations: name, kinds of tensors, count of numbers, domain, PyTorch's expression, numbers to draw."""
    operations = []
    for name, kinds, count, low, high, expression, numbers in lines:
        names = ["x", "y"][:len(kinds)] + ["p", "q"][:int(count)]
        f = eval(f"lambda {', '.join(names)}: {expression}", {"torch": torch, "F": F})
        drawn = eval(f"lambda d: {numbers}")

        def ask(d, f=f, kinds=kinds, drawn=drawn, low=float(low), high=float(high)):
            given = drawn(d)
            shapes = d.pair() if len(kinds) == 2 else [d.shape()]
            inputs = [d.booleans(s) if kind == "b" else d.values(s, low, high) for kind, s in zip(kinds, shapes)]
            return Question(lambda x: f(*x, *given), inputs, given)
        floating = "b" not in kinds
        operations.append(Operation(name, ask, EXCUSES.get(name, []), edges=floating, grid=len(kinds) if floating else 0))
    if unknown := set(EXCUSES) - {o.name for o in operations}:
        raise KeyError(f"an excuse for no operation: {unknown}")
    return operations


def ask_where(d):
    shape = d.shape()
    return Question(lambda x: torch.where(x[0], x[1], x[2]),
                    [d.booleans(d.beside(shape)), d.values(shape), d.values(d.beside(shape))])


ADD(Operation("where", ask_where))

REDUCTIONS = ["none", "mean", "sum"]


def loss(name, f, low=-3.0, high=3.0, target_low=-3.0, target_high=3.0, number=None, **how):
    def ask(d):
        shape = d.shape(empty=False)
        reduction = d.whole(0, 2)
        numbers = [] if number is None else [number(d)]
        return Question(lambda x: f(x[0], x[1], *numbers, reduction=REDUCTIONS[reduction]),
                        [d.values(shape, low, high), d.values(shape, target_low, target_high)], [float(reduction)] + numbers)
    ADD(Operation(name, ask, **how))


loss("mse_loss", F.mse_loss, excuses=[
    Excuse("gradient", lambda x, ours, theirs: np.isfinite(x[0]) & np.isfinite(x[1]) & np.isinf(theirs),
           "2 (d dy) may be finite where PyTorch's 2 d is not")])
loss("l1_loss", F.l1_loss)
loss("huber_loss", lambda x, t, delta, reduction: F.huber_loss(x, t, reduction=reduction, delta=delta), number=lambda d: d.number(0.3, 2))
loss("smooth_l1_loss", lambda x, t, beta, reduction: F.smooth_l1_loss(x, t, reduction=reduction, beta=beta),
     number=lambda d: 0.0 if d.whole(0, 4) == 0 else d.number(0.3, 2))


def ask_hinge(d):
    shape, reduction, margin = d.shape(empty=False), d.whole(0, 2), d.number(0.5, 2)
    target = d.booleans(shape) * 2.0 - 1.0
    return Question(lambda x: F.hinge_embedding_loss(x[0], x[1], margin=margin, reduction=REDUCTIONS[reduction]),
                    [d.values(shape), target.reshape(shape)], [float(reduction), margin], constant=(1,))


def ask_poisson(d):
    shape, reduction, log_input, full = d.shape(empty=False), d.whole(0, 2), d.flag(), d.flag()
    return Question(lambda x: F.poisson_nll_loss(x[0], x[1], log_input=log_input, full=full, reduction=REDUCTIONS[reduction]),
                    [d.values(shape, 0.1, 3), d.values(shape, 0, 6)], [float(reduction), float(log_input), float(full)])


def ask_kl(d):
    shape, reduction, log_target = d.shape(empty=False), d.whole(0, 2), d.flag()
    return Question(lambda x: F.kl_div(x[0], x[1], reduction=REDUCTIONS[reduction], log_target=log_target),
                    [d.values(shape), d.values(shape, 0.05, 1)], [float(reduction), float(log_target)])


def ask_bce(d):
    shape, reduction = d.shape(empty=False), d.whole(0, 2)
    return Question(
        lambda x: F.binary_cross_entropy_with_logits(x[0], x[1], weight=x[2], pos_weight=x[3], reduction=REDUCTIONS[reduction]),
        [d.values(shape), d.values(shape, 0, 1, edges=False), d.values(d.beside(shape), 0.1, 2, edges=False),
         d.values(d.beside(shape), 0.1, 2, edges=False)], [float(reduction)],
        constant=(2, 3))                         # PyTorch has no gradient for the weight


ADD(Operation("hinge_embedding_loss", ask_hinge, excuses=[
    Excuse("gradient", lambda x, *_: np.isnan(x[0]), "NaN passes the gradient as through relu; PyTorch's clamp_min stops it"),
    Excuse("value", which_zero, "for target 1 it is the input, also -0.0; PyTorch adds 0")]))
ADD(Operation("poisson_nll_loss", ask_poisson, excuses=[
    Excuse("gradient", lambda x, ours, theirs: ~(x[1] > 1) & np.isnan(theirs),
           "the gradient of Stirling's part is 0 where it is left out; PyTorch multiplies 0 by one that is not finite"),
    Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any((x[0] == -np.inf) & (x[1] == 0)),
           "for target 0 an infinite logarithm has no part in the loss; PyTorch's 0 times infinity is NaN")]))
ADD(Operation("kl_div", ask_kl, excuses=[
    Excuse("gradient", lambda x, ours, theirs: np.abs(x[1]) < 1e-300,
           "for target 0 the logarithm's part is left out; PyTorch's is NaN or infinite, and beside denormals without its digits"),
    Excuse("gradient", lambda x, ours, theirs: (np.isinf(x[1]) | (x[1] > 700)) & np.isnan(theirs),
           "(ln t + 1 - x), or e^t (t + 1 - x), which is 0 for t = -inf; PyTorch has inf / inf or inf - inf in it"),
    Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any((x[1] == -np.inf) | np.isinf(x[0])),
           "0 where the target is 0, or -inf as a logarithm, and infinite where only the input is; PyTorch's 0 times infinity is NaN")]))
ADD(Operation("binary_cross_entropy_with_logits", ask_bce, excuses=[
    Excuse("gradient", lambda x, *_: ~(np.abs(x[0]) < 1e300),
           "beside an infinite logit the target's is infinite or, where PyTorch's value is, NaN"),
    Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any(np.isinf(x[0])),
           "an infinite logit has the limit; PyTorch's difference of infinities is NaN")]))
