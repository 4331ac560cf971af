"""The operations of tests/operations, as oracle_answers lists them."""
import numpy as np
import torch
import torch.nn.functional as F

from questions import REDUCTIONS, Excuse, Operation, Question, anywhere, every, one_by_one, which_zero

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
    "mse_loss, reduction": [
        Excuse("gradient", lambda x, ours, theirs: np.isfinite(x[0]) & np.isfinite(x[1]) & np.isinf(theirs),
               "2 (d dy) may be finite where PyTorch's 2 d is not")],
    "hinge_embedding_loss": [
        Excuse("gradient", lambda x, *_: np.isnan(x[0]), "NaN passes the gradient as through relu; PyTorch's clamp_min stops it"),
        Excuse("value", which_zero, "for target 1 it is the input, also -0.0; PyTorch adds 0")],
    "poisson_nll_loss": [
        Excuse("gradient", lambda x, ours, theirs: ~(x[1] > 1) & np.isnan(theirs),
               "the gradient of Stirling's part is 0 where it is left out; PyTorch multiplies 0 by one that is not finite"),
        Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any((x[0] == -np.inf) & (x[1] == 0)),
               "for target 0 an infinite logarithm has no part in the loss; PyTorch's 0 times infinity is NaN")],
    "kl_div": [
        Excuse("gradient", lambda x, ours, theirs: np.abs(x[1]) < 1e-300,
               "for target 0 the logarithm's part is left out; PyTorch's is NaN or infinite, and beside denormals without its digits"),
        Excuse("gradient", lambda x, ours, theirs: (np.isinf(x[1]) | (x[1] > 700)) & np.isnan(theirs),
               "(ln t + 1 - x), or e^t (t + 1 - x), which is 0 for t = -inf; PyTorch has inf / inf or inf - inf in it"),
        Excuse("gradient", lambda x, ours, theirs: (x[1] > 1e300) & np.isfinite(ours) & np.isinf(theirs),
               "ln t + 1 - x is finite for the largest t; PyTorch multiplies by t before it divides by it"),
        Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any((x[1] == -np.inf) | np.isinf(x[0])),
               "0 where the target is 0, or -inf as a logarithm, and infinite where only the input is; PyTorch's 0 times infinity is NaN")],
    "binary_cross_entropy_with_logits": [
        Excuse("gradient", lambda x, *_: ~(np.abs(x[0]) < 1e300),
               "beside an infinite logit the target's is infinite or, where PyTorch's value is, NaN"),
        Excuse("value", lambda x, ours, theirs: np.isnan(theirs) & np.any(np.isinf(x[0])),
               "an infinite logit has the limit; PyTorch's difference of infinities is NaN")],
    "matmul": [Excuse("value", which_zero, "a sum begins with 0; PyTorch's of one product is that product")],
    "linear, no bias": [Excuse("value", which_zero, "a sum begins with 0; PyTorch's of one product is that product")],
    "max": [Excuse("gradient", anywhere, "of equal largest elements the first gets it; PyTorch shares it")],
    "max, axes": [Excuse("gradient", anywhere, "of equal largest elements the first gets it, as from torch.max along one axis; amax shares it")],
    "min": [Excuse("gradient", anywhere, "of equal smallest elements the first gets it; amin shares it")],
    "prod": [Excuse("gradient", lambda x, ours, theirs: np.isnan(theirs),
                    "the product of the others; PyTorch divides by the element, also where both are infinite")],
    "logsumexp": [Excuse("gradient", lambda x, ours, theirs: np.isnan(theirs) & (x[0] == -np.inf), "0 where all is -inf; PyTorch's is NaN")],
    "norm": [Excuse("gradient", lambda x, *_: np.isnan(x[0]), "that of a NaN is NaN; PyTorch's is 0, the sign of NaN"),
             Excuse("gradient", lambda x, *_: x[0] == 0, "0 at 0, whatever the norm is; PyTorch multiplies by it")],
    "topk": [Excuse(what, anywhere, "of equal elements the first is taken; PyTorch takes any") for what in ("index", "gradient")],
    "cross_entropy": [Excuse("value", which_zero, "-0.0 of one class")],
    "cross_entropy, options": [Excuse("value", which_zero, "-0.0 of one class")],
    "cross_entropy, probabilities": [Excuse("value", which_zero, "-0.0 of one class")],
}


def element_wise(name, kinds, count, low, high, expression, numbers):
    names = ["x", "y"][:len(kinds)] + ["p", "q"][:int(count)]
    f = eval(f"lambda {', '.join(names)}: {expression}", {"torch": torch, "F": F})
    drawn = eval(f"lambda d: {numbers}")

    def ask(d):
        given = drawn(d)
        shapes = d.pair() if len(kinds) == 2 else [d.shape()]
        inputs = [d.booleans(s) if kind == "b" else d.values(s, float(low), float(high)) for kind, s in zip(kinds, shapes)]
        return Question(lambda x: f(*x, *given), inputs, given)
    floating = "b" not in kinds
    return Operation(name, ask, EXCUSES.get(name, []), edges=floating, grid=len(kinds) if floating else 0)


def eigen(a):
    values, vectors = torch.linalg.eigh(a)
    return [values, vectors.abs()]


def least_squares(a, b, rcond):
    b = b[:, None] if (vector := b.dim() == 1) else b
    found = torch.linalg.lstsq(a, b, rcond=rcond, driver="gelsd")
    residuals = ((a @ found.solution - b) ** 2).sum(-2)
    return [found.solution[:, 0] if vector else found.solution, residuals[0] if vector else residuals, found.rank,
            torch.linalg.svdvals(a).detach()]


KNOWN = {"np": np, "torch": torch, "F": F, "REDUCTIONS": REDUCTIONS, "every": every, "one_by_one": one_by_one,
         "eigen": eigen, "least_squares": least_squares}


def other(name, edges, asked, expression):
    asked, f = compile(asked, name, "exec"), compile(expression, name, "eval")

    def ask(d):
        drawn = {"d": d, **KNOWN}
        exec(asked, drawn)
        return Question(lambda x: eval(f, drawn | {"xs": x} | dict(zip("xyzv", x))), drawn["inputs"], drawn.get("numbers", []),
                        drawn.get("constant", ()))
    return Operation(name, ask, EXCUSES.get(name, []), edges=edges == "1")


def listed(lines):
    """The operations of tests/operations. Element-wise ones by name, kinds of tensors, count of numbers, domain, PyTorch's expression,
    numbers to draw; others by name, whether edge values are asked, what is drawn, PyTorch's expression."""
    operations = [(element_wise if len(line) > 4 else other)(*line) for line in lines]
    if unknown := set(EXCUSES) - {o.name for o in operations}:
        raise KeyError(f"an excuse for no operation: {unknown}")
    return operations
