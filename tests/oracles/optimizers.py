"""Reference trajectories for the optimizers: writes optimizers.txt beside this file. README.md says how to run it.

Every case is computed at least twice in double precision, by a library and by the plain formula in `restated`, and
a third time in extended precision, to show that a different order of operations cannot reach the tests' tolerance.
The script stops at the first disagreement, so a written file is a checked file.
"""
import os
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")

import dynet
import jax
import keras
import mlx.core as mx
import mlx.optimizers
import numpy as np
import optax
import torch

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")      # or Keras keeps the learning rate in f32, even for f64 variables
mx.set_default_device(mx.cpu)           # MLX has f64 on the CPU only

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

DEFAULTS = {                 # Capstan's option names in Capstan's order; the values are PyTorch's
    "sgd": dict(lr=1e-3, momentum=0, dampening=0, nesterov=False, weight_decay=0),
    "adagrad": dict(lr=1e-2, eps=1e-10, eps_inside_root=False, initial_accumulator=0, lr_decay=0, weight_decay=0),
    "rmsprop": dict(lr=1e-2, alpha=0.99, eps=1e-8, eps_inside_root=False, weight_decay=0, momentum=0, centered=False),
}


def restated(method, options, T):
    """The formulas as step(w, g, t) -> w, in T: np.float64 or np.longdouble."""
    o = {k: v if isinstance(v, bool) else T(v) for k, v in options.items()}
    state = {}

    def sgd(w, g, t):
        if o["momentum"] != 0:
            old = state.get("v")     # the first step takes the gradient whole: dampening starts with the second
            state["v"] = g if old is None else o["momentum"] * old + (1 - o["dampening"]) * g
            g = g + o["momentum"] * state["v"] if o["nesterov"] else state["v"]
        return w - o["lr"] * g

    def adagrad(w, g, t):
        s = state["s"] = state.get("s", o["initial_accumulator"]) + g * g
        return w - o["lr"] / (1 + (t - 1) * o["lr_decay"]) * (g / root(s))

    def rmsprop(w, g, t):
        s = state["s"] = o["alpha"] * state.get("s", 0) + (1 - o["alpha"]) * g * g
        m = state["m"] = o["alpha"] * state.get("m", 0) + (1 - o["alpha"]) * g
        v = state["v"] = o["momentum"] * state.get("v", 0) + g / root(s - m * m if o["centered"] else s)
        return w - o["lr"] * v

    def root(s):
        return np.sqrt(s + o["eps"]) if o["eps_inside_root"] else np.sqrt(s) + o["eps"]

    rule = {"sgd": sgd, "adagrad": adagrad, "rmsprop": rmsprop}[method]
    return lambda w, g, t: rule(w, g + o["weight_decay"] * w, t)


# The libraries, each in the same form.
def torch_step(cls, **options):
    w = torch.nn.Parameter(torch.tensor(W0))
    optimizer = cls([w], **options)
    def step(w_now, g, t):
        w.data, w.grad = torch.tensor(w_now), torch.tensor(g)
        optimizer.step()
        return w.detach().numpy().copy()
    return step


def optax_step(transformation):
    state = transformation.init(jax.numpy.asarray(W0))
    def step(w, g, t):
        nonlocal state
        w = jax.numpy.asarray(w)
        updates, state = transformation.update(jax.numpy.asarray(g), state, w)
        return np.asarray(optax.apply_updates(w, updates))
    return step


def keras_step(lr):
    optimizer, w = keras.optimizers.Adagrad(lr), keras.Variable(W0, dtype="float64")
    def step(w_now, g, t):
        w.assign(w_now)
        optimizer.apply([jax.numpy.asarray(g)], [w])
        return np.asarray(w.value)
    return step


def mlx_step(lr):
    def array(x):                        # a bare Python float or NumPy f64 array would become f32
        return mx.array(x, dtype=mx.float64)
    optimizer = mlx.optimizers.Adagrad(array(lr))
    def step(w, g, t):
        return np.array(optimizer.apply_gradients({"w": array(g)}, {"w": array(w)})["w"])
    return step


def dynet_step(lr):                      # DyNet computes in f32: a check of the rule, not a source of digits
    model = dynet.ParameterCollection()
    w = model.add_parameters((len(W0),))
    trainer = dynet.AdagradTrainer(model, lr)
    trainer.set_clip_threshold(-1)       # it clips the gradient's norm to 5 unless told not to
    def step(w_now, g, t):
        w.set_value(w_now)
        dynet.renew_cg()
        dynet.dot_product(w, dynet.inputTensor(g)).backward()
        trainer.update()
        return w.as_array()
    step.alive = model                   # the trainer does not hold it
    return step


@dataclass
class Case:
    name: str                                    # METHOD_...
    options: dict
    source: str                                  # whose digits are in the file
    stored: object                               # makes its step function; None: the formula itself
    checks: list = field(default_factory=list)   # further (label, maker, tolerance)
    preset: str = "-"
    first: bool = False                          # first step only, from 0, gradients FIRST

    def __post_init__(self):
        self.method = self.name.split("_")[0]
        assert set(self.options) <= set(DEFAULTS[self.method])
        self.options = DEFAULTS[self.method] | self.options

        self.w0, self.steps = (np.zeros(6), (1,)) if self.first else (W0, STEPS)

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


OPTAX, TORCH, JAX, KERAS, MLX, DYNET = (f"{name} {version(name)}" for name in "optax torch jax keras mlx dyNET38".split())
D2L = "restated: Dive into Deep Learning,"


def with_torch(name, preset="-", first=False, **options):
    """PyTorch gets only the options that are given here, the formula all of them: its defaults are checked too."""
    cls = dict(sgd=torch.optim.SGD, adagrad=torch.optim.Adagrad, rmsprop=torch.optim.RMSprop)[name.split("_")[0]]
    theirs = {k + "_value" * (k == "initial_accumulator"): v for k, v in options.items()}
    return Case(name, options, f"torch.optim.{cls.__name__}, {TORCH}", lambda: torch_step(cls, **theirs), [], preset, first)


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
        Case(f"adagrad_keras{suffix}", tenth, f"keras.optimizers.Adagrad, {KERAS}, {JAX}", lambda: keras_step(lr), **more("keras")),
        Case(f"adagrad_mlx{suffix}", dict(lr=lr, eps=1e-8), f"mlx.optimizers.Adagrad, {MLX}", lambda: mlx_step(lr), **more("mlx")),
        inside(f"adagrad_dynet{suffix}", dict(lr=lr, eps=1e-20), "restated: DyNet, AdagradTrainer",
               optax_adagrad(lr, 0.0, 1e-20), **more("dynet")),
    ]
    cases[-1].checks.append((f"{DYNET} (in single precision)", lambda: dynet_step(lr), SINGLE))
    return cases


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
    ]


HEADER = """\
# Reference trajectories for the optimizers, in double precision. Written by optimizers.py; do not edit. README.md says how.
# {versions}
#
# Lines that start with # are comments; blank lines part the cases. A case is these lines in this order, one blank between
# words; X stands for six numbers.
#   case NAME
#   method sgd|adagrad|rmsprop
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
