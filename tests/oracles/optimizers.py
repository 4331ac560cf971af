"""Reference trajectories for the optimizers: writes optimizers.txt beside this file. README.md says how to run it.

Every case is computed at least twice in double precision, by a library and by the plain formula in formulas.py, and
a third time in extended precision, to show that a different order of operations cannot reach the tests' tolerance.
The script stops at the first disagreement, so a written file is a checked file.
"""
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import numpy as np

from formulas import DEFAULTS, restated
from libraries import (DYNET, JAX, KERAS, MLX, OPTAX, TORCH, dynet_step, keras, keras_step, mlx_step, optax, optax_step, torch,
                       torch_step)     # which sets the libraries up before it imports them

# The problem. Element 4 has small gradients throughout, so that the place and the size of eps show in the result.
W0 = np.array([1.0, -2.0, 0.5, 3.0, -0.75, 1.5])
A = np.array([1.0, 0.5, 2.0, 0.125, 1e-4, 3.0])
B = np.array([0.5, -1.0, 0.25, 0.3, 1e-4, -2.0])
STEPS = (1, 2, 3, 10, 50)
FIRST = np.array([1.0, 1e-3, 1e-6, -1e-3, 1e-9, 0.0])   # gradients of the cases that look at the first step only

TOLERANCE = 1e-12            # between two double precision results: relative, and absolute where |w| < 1 on a trajectory
CONDITION = 1e-13            # between double and extended precision
SINGLE = 1e-6                # between a single precision library and a double precision result
DISTINCT = 1e-9              # two cases whose options differ must end at least this far apart


@dataclass
class Case:
    name: str                                    # METHOD_...
    options: dict
    source: str                                  # whose digits are in the file
    stored: object                               # makes its step function; None: the formula itself
    checks: list = field(default_factory=list)   # further (label, maker, tolerance)
    preset: str = "-"
    first: bool = False                          # first step only, from 0, gradients FIRST
    start: np.ndarray = None                     # where w starts, if not at W0

    def __post_init__(self):
        self.method = self.name.split("_")[0]
        assert set(self.options) <= set(DEFAULTS[self.method])
        self.options = DEFAULTS[self.method] | self.options

        self.w0, self.steps = (np.zeros(6), (1,)) if self.first else (W0 if self.start is None else self.start, STEPS)

    def run(self, step, T=np.float64):
        w, points = self.w0.astype(T), {}
        for t in range(1, self.steps[-1] + 1):
            w = step(w, FIRST.astype(T) if self.first else A * w + B * np.cos(T(0.7) * t + np.arange(6)), t)
            assert w.shape == W0.shape and np.all(np.isfinite(w)), self.name
            points[t] = w
        return {t: points[t] for t in self.steps}

    def distance(self, p, q):                    # relative; on a trajectory absolute where |q| < 1
        return np.max(np.abs(p - q) / (np.where(q == 0, 1, np.abs(q)) if self.first else np.maximum(1, np.abs(q))))

    def compare(self, label, got, expected, tolerance):
        worst = max(self.distance(got[t], expected[t]) for t in expected)
        assert worst <= tolerance, f"{self.name}: {label} differs by {worst:.3g}"
        print(f"{self.name:34} {worst:.1e}  {label}")

    def compute(self):
        double, extended = (self.run(restated(self.method, self.options, T), T) for T in (np.float64, np.longdouble))
        self.points = self.run(self.stored()) if self.stored else double
        assert all(p.dtype == np.float64 for p in self.points.values()), self.name
        self.compare("the formula, extended precision", double, extended, CONDITION)
        if self.stored:
            self.compare("the formula", double, self.points, TOLERANCE)
        for label, make, tolerance in self.checks:
            self.compare(label, self.run(make()), self.points, tolerance)


D2L = "restated: Dive into Deep Learning,"


def with_torch(name, preset="-", first=False, **options):
    """PyTorch gets only the options that are given here, the formula all of them: its defaults are checked too."""
    cls = dict(sgd="SGD", adagrad="Adagrad", rmsprop="RMSprop", adadelta="Adadelta", adam="Adam", adamw="AdamW", adamax="Adamax",
               nadam="NAdam", radam="RAdam", rprop="Rprop")[name.split("_")[0]]
    cls, theirs = getattr(torch.optim, cls), {k + "_value" * (k == "initial_accumulator"): v for k, v in options.items()}
    for key, pair in (("betas", ("beta1", "beta2")), ("etas", ("etaminus", "etaplus")),
                      ("step_sizes", ("step_size_min", "step_size_max"))):
        if any(k in theirs for k in pair):
            theirs[key] = tuple(theirs.pop(k, DEFAULTS[name.split("_")[0]][k]) for k in pair)
    return Case(name, options, f"torch.optim.{cls.__name__}, {TORCH}", lambda: torch_step(cls, **theirs), [], preset, first)


def with_optax(name, transformation, preset="-", **options):
    """Optax, given the options of the case alone; `transformation` is of its own making or a chain of its parts."""
    return Case(name, options, f"optax.{name.split('_')[0]}, {OPTAX}, {JAX}", lambda: optax_step(transformation), [], preset)


def with_keras_ftrl(name, preset="-", start=None, **options):
    """Keras halves the paper's lambda2. It starts from w = 0, as the paper does, unless beta and the accumulator are 0 too."""
    o = DEFAULTS["ftrl"] | options
    def optimizer():
        return keras.optimizers.Ftrl(
            o["lr"], initial_accumulator_value=o["initial_accumulator"], l1_regularization_strength=o["l1"],
            l2_regularization_strength=o["l2"] / 2, beta=o["beta"])
    return Case(name, options, f"keras.optimizers.Ftrl, {KERAS}, {JAX}", lambda: keras_step(optimizer()), [], preset, start=start)


def inside(name, options, source, make, **more):
    """Eps inside the root, which PyTorch lacks: the formula's digits, checked by Optax."""
    return Case(name, options | dict(eps_inside_root=True), source, None, [(OPTAX, make, TOLERANCE)], **more)


def optax_adagrad(lr, initial, eps, lr_decay=0, weight_decay=0):
    return lambda: optax_step(optax.chain(
        optax.add_decayed_weights(weight_decay), optax.scale_by_rss(initial, eps),
        optax.scale_by_learning_rate(lambda count: lr / (1 + count * lr_decay))))


def optax_rmsprop(lr, alpha, eps, weight_decay=0, **options):
    return lambda: optax_step(optax.chain(
        optax.add_decayed_weights(weight_decay), optax.rmsprop(lr, alpha, eps, eps_in_sqrt=True, **options)))


def dialects(suffix, first, lr=0.1):
    """The six Adagrads. The libraries get the rate alone, so that their own defaults are what is checked."""
    more = lambda name: dict(preset=f"{name}({lr})", first=first)
    tenth = dict(lr=lr, eps=1e-7, eps_inside_root=True, initial_accumulator=0.1)
    cases = [
        with_torch(f"adagrad_torch{suffix}", lr=lr, **more("torch")),
        inside(f"adagrad_d2l{suffix}", dict(lr=lr, eps=1e-6), f"{D2L} Adagrad from scratch", optax_adagrad(lr, 0.0, 1e-6), **more("d2l")),
        Case(f"adagrad_optax{suffix}", tenth, f"optax.adagrad, {OPTAX}, {JAX}", lambda: optax_step(optax.adagrad(lr)), **more("optax")),
        Case(f"adagrad_keras{suffix}", tenth, f"keras.optimizers.Adagrad, {KERAS}, {JAX}", lambda: keras_step(keras.optimizers.Adagrad(lr)), **more("keras")),
        Case(f"adagrad_mlx{suffix}", dict(lr=lr, eps=1e-8), f"mlx.optimizers.Adagrad, {MLX}", lambda: mlx_step(lr), **more("mlx")),
        inside(f"adagrad_dynet{suffix}", dict(lr=lr, eps=1e-20), "restated: DyNet, AdagradTrainer",
               optax_adagrad(lr, 0.0, 1e-20), **more("dynet")),
    ]
    cases[-1].checks.append((f"{DYNET} (in single precision)", lambda: dynet_step(lr), SINGLE))
    return cases


def element_cases():
    """The methods of one element beside the first three."""
    l2, chain = optax.add_decayed_weights, optax.chain
    belief = dict(beta1=0.8, beta2=0.99, eps=1e-4, eps_root=1e-6)
    yogi = dict(beta1=0.8, beta2=0.99, eps=1e-2)
    return [
        with_torch("adadelta_default", "default"),
        with_torch("adadelta_rho", rho=0.5),
        with_torch("adadelta_all", lr=0.5, rho=0.95, eps=1e-3, weight_decay=0.05),
        with_torch("adam_default", "default"),
        with_torch("adam_lr", lr=0.1),
        with_torch("adam_betas", lr=0.1, beta1=0.5, beta2=0.9),
        with_torch("adam_amsgrad", lr=0.1, beta2=0.9, amsgrad=True),
        with_torch("adam_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05),
        with_torch("adam_all_amsgrad", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05, amsgrad=True),
        with_torch("adamw_default", "default"),
        with_torch("adamw_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05),
        with_torch("adamw_all_amsgrad", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05, amsgrad=True),
        with_torch("adamw_no_decay", lr=0.1, weight_decay=0),
        with_torch("adamax_default", "default"),
        with_torch("adamax_lr", lr=0.1),
        with_torch("adamax_all", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05),
        with_torch("nadam_default", "default"),
        with_torch("nadam_lr", lr=0.1),
        with_torch("nadam_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05, momentum_decay=0.1),
        with_torch("nadam_decoupled", lr=0.1, beta1=0.5, weight_decay=0.05, decoupled_weight_decay=True),
        with_torch("radam_default", "default"),
        with_torch("radam_lr", lr=0.1),
        with_torch("radam_all", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05),
        with_torch("radam_decoupled", lr=0.1, beta2=0.99, weight_decay=0.05, decoupled_weight_decay=True),
        with_torch("radam_never_adaptive", lr=0.1, beta2=0.6),
        with_optax("adabelief_default", optax.adabelief(1e-3), "default"),
        with_optax("adabelief_lr", optax.adabelief(0.1), lr=0.1),
        with_optax("adabelief_all", chain(l2(0.05), optax.adabelief(0.1, 0.8, 0.99, 1e-4, 1e-6)), lr=0.1, weight_decay=0.05, **belief),
        with_optax("yogi_default", optax.yogi(1e-2), "default"),
        with_optax("yogi_all", chain(l2(0.05), optax.yogi(0.1, 0.8, 0.99, 1e-2)), lr=0.1, weight_decay=0.05, **yogi),
        with_optax("yogi_initial_accumulator", chain(optax.scale_by_yogi(0.8, 0.99, 1e-2, initial_accumulator_value=0.5), optax.scale(-0.1)),
                   lr=0.1, initial_accumulator=0.5, **yogi),
        with_optax("lion_default", optax.lion(1e-4), "default"),
        with_optax("lion_all", optax.lion(0.01, 0.8, 0.9, weight_decay=0.1), lr=0.01, beta1=0.8, beta2=0.9, weight_decay=0.1),
        with_optax("lion_no_decay", optax.lion(0.01, weight_decay=0.0), lr=0.01, weight_decay=0),
        with_optax("signum_default", optax.signum(1e-3), "default"),
        with_optax("signum_all", chain(l2(0.5), optax.signum(0.01, 0.95)), lr=0.01, momentum=0.95, weight_decay=0.5),
        with_optax("signum_plain", chain(l2(0.5), optax.sign_sgd(0.01)), lr=0.01, momentum=0, weight_decay=0.5),
        with_torch("rprop_default", "default"),
        with_torch("rprop_etas", etaminus=0.25, etaplus=1.5),
        with_torch("rprop_all", lr=0.05, etaminus=0.4, etaplus=1.1, step_size_min=0.02, step_size_max=0.1),
        with_keras_ftrl("ftrl_default", "default", start=np.zeros(6)),
        with_keras_ftrl("ftrl_all", lr=0.5, beta=0.5, l1=0.1, l2=0.2, initial_accumulator=0.1, start=np.zeros(6)),
        with_keras_ftrl("ftrl_no_beta", lr=0.5, beta=0, l1=0.3, l2=0.2),
        Case("ftrl_adagrad", dict(lr=0.5, initial_accumulator=0.1), f"torch.optim.Adagrad with eps 1, {TORCH}",
             lambda: torch_step(torch.optim.Adagrad, lr=0.5, eps=1, initial_accumulator_value=0.1)),
        Case("ftrl_elsewhere", dict(lr=0.5, l1=0.1, l2=0.2), "restated: McMahan et al. 2013, algorithm 1, z from w", None),
    ]


def all_cases():
    adagrad_all = dict(lr=0.1, eps=1e-3, initial_accumulator=0.1, lr_decay=0.01, weight_decay=0.05)
    rmsprop_all = dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.5, centered=True)
    rmsprop_d2l = dict(lr=0.01, alpha=0.9, eps=1e-6), f"{D2L} RMSProp from scratch", optax_rmsprop(0.01, 0.9, 1e-6)
    return [
        with_torch("sgd_default", "default"),
        with_torch("sgd_plain", lr=0.1),
        with_torch("sgd_momentum", lr=0.1, momentum=0.9),
        with_torch("sgd_dampening", lr=0.1, momentum=0.9, dampening=0.1),
        with_torch("sgd_nesterov", lr=0.1, momentum=0.9, nesterov=True),
        with_torch("sgd_weight_decay", lr=0.1, weight_decay=0.01),
        with_torch("sgd_momentum_weight_decay", lr=0.1, momentum=0.9, weight_decay=0.01),
        with_torch("sgd_nesterov_weight_decay", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        with_torch("adagrad_default", "default"),
        with_torch("adagrad_lr_decay", lr=0.1, lr_decay=0.01),
        with_torch("adagrad_initial_accumulator", lr=0.1, initial_accumulator=0.1),
        with_torch("adagrad_weight_decay", lr=0.1, weight_decay=0.05),
        with_torch("adagrad_eps", lr=0.1, eps=1e-3),
        with_torch("adagrad_all", **adagrad_all),
        inside("adagrad_all_inside", adagrad_all, "restated", optax_adagrad(0.1, 0.1, 1e-3, 0.01, 0.05)),
        *dialects("", first=False),
        *dialects("_first_step", first=True),
        with_torch("rmsprop_default", "default"),
        with_torch("rmsprop_eps", eps=1e-3),
        with_torch("rmsprop_momentum", momentum=0.9),
        with_torch("rmsprop_centered", centered=True),
        with_torch("rmsprop_centered_momentum", centered=True, momentum=0.9),
        with_torch("rmsprop_weight_decay", weight_decay=0.05),
        with_torch("rmsprop_alpha", alpha=0.9),
        with_torch("rmsprop_all", **rmsprop_all),
        inside("rmsprop_all_inside", rmsprop_all, "restated", optax_rmsprop(0.01, 0.9, 1e-3, 0.05, momentum=0.5, centered=True)),
        inside("rmsprop_d2l", *rmsprop_d2l),
        inside("rmsprop_d2l_first_step", *rmsprop_d2l, first=True),
        *element_cases(),
    ]


HEADER = """\
# Reference trajectories for the optimizers, in double precision. Written by optimizers.py; do not edit. README.md says how.
# {versions}
#
# Lines that start with # are comments; blank lines part the cases. A case is these lines in this order, one blank between
# words; X stands for six numbers.
#   case NAME
#   method METHOD                   as optim::make() knows it
#   preset -|default|DIALECT(RATE)  what else gives these options: nothing, an untouched struct, AdagradOptions::DIALECT(RATE)
#   options KEY=NUMBER ...          every option of the method, in the struct's order; a flag is 0 or 1
#   source TEXT                     whose numbers these are, to the end of the line
#   checked TEXT                    what agreed with them, to the end of the line
#   w0 X                            the parameter before the first step
#   a X                             with b: gradient i of step t = 1, 2, ... is a[i]*w[i] + b[i]*cos(0.7*t + i), i from 0
#   b X
#   w STEP X                        the parameter after that step; five lines, for steps 1 2 3 10 50
#   end
# A case named ..._first_step has one line `g X`, the gradient itself, in place of a and b, and only the line w 1; its w0 is 0.
"""


def case_text(c):
    def numbers(values):
        return " ".join(repr(float(v)) for v in values)
    return [f"case {c.name}", f"method {c.method}", f"preset {c.preset}",
            "options " + " ".join(f"{k}={v + 0!r}" for k, v in c.options.items()), f"source {c.source}",
            "checked " + ", ".join([label for label, _, _ in c.checks] + ["the formula in double and in extended precision"]),
            f"w0 {numbers(c.w0)}", *([f"g {numbers(FIRST)}"] if c.first else [f"a {numbers(A)}", f"b {numbers(B)}"]),
            *(f"w {t} {numbers(c.points[t])}" for t in c.steps), "end"]


def main():
    cases = all_cases()
    for case in cases:
        case.compute()
    for x, y in combinations(cases, 2):      # each option must matter (and the options of Keras and Optax are the same)
        if (x.method, x.first) == (y.method, y.first) and x.options != y.options:
            apart = x.distance(x.points[x.steps[-1]], y.points[y.steps[-1]])
            assert apart > DISTINCT, f"{x.name} and {y.name} end only {apart:.3g} apart"
    header = HEADER.format(versions=", ".join([f"numpy {version('numpy')}", TORCH, JAX, OPTAX, KERAS, MLX, DYNET]))
    Path(__file__).with_suffix(".txt").write_text("\n".join([header] + ["\n".join(case_text(c) + [""]) for c in cases]))
    print(f"{len(cases)} cases written")


if __name__ == "__main__":
    main()
