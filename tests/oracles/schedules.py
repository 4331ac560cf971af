"""Reference values for the learning-rate schedules: writes schedules.txt beside this file. README.md says how to run it.

Every case is computed by a library, step by step as its users would, and by a formula of its own here. The script stops at
the first disagreement, so a written file is a checked file.
"""
import math
import os
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.update(JAX_PLATFORMS="cpu")

import jax
import optax
import torch
from torch.optim import lr_scheduler as L

jax.config.update("jax_enable_x64", True)
warnings.simplefilter("ignore")          # torch warns of schedulers that step before their optimizer: none steps here

STEPS = 60
TOLERANCE = 1e-12


def from_torch(lr, make, steps=STEPS):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        scheduler.step()
    return rates


def from_optax(schedule):
    return [float(schedule(jax.numpy.asarray(t, dtype="float64"))) for t in range(STEPS)]


def mix(a, b, x):                         # half a cosine from a to b
    return b + (a - b) * (1 + math.cos(math.pi * x)) / 2


def one_cycle(peak, n, pct, div, final, between, three):
    start, end, top = peak / div, peak / div / final, pct * n - 1
    def at(t):
        if t <= top:
            return between(start, peak, t / top)
        if three and t <= 2 * top:
            return between(peak, start, (t - top) / top)
        begin, t0 = (start, 2 * top) if three else (peak, top)
        return between(begin, end, (t - t0) / (n - 1 - t0))
    return at


def restarts(lr, first, factor, end):
    def at(t):
        period = first
        while t >= period:
            t, period = t - period, period * factor
        return mix(lr, end, t / period)
    return at


def line(a, b, x):
    return a + (b - a) * x


# name, source, values, formula of t
def all_cases():
    torch_name, optax_name = f"torch {version('torch')}", f"optax {version('optax')}"
    def torch_case(name, lr, cls, formula, steps=STEPS, **options):
        return name, f"torch.optim.lr_scheduler.{cls.__name__}, {torch_name}", from_torch(lr, lambda o: cls(o, **options), steps), formula
    def optax_case(name, label, schedule, formula):
        return name, f"optax.{label}, {optax_name}", from_optax(schedule), formula

    return [
        torch_case("constant", 0.1, L.ConstantLR, lambda t: 0.1, factor=1.0),
        torch_case("step", 0.3, L.StepLR, lambda t: 0.3 * 0.5 ** (t // 7), step_size=7, gamma=0.5),
        torch_case("multi_step", 0.3, L.MultiStepLR, lambda t: 0.3 * 0.1 ** sum(m <= t for m in (5, 20, 20, 41)),
                   milestones=[5, 20, 20, 41], gamma=0.1),
        torch_case("exponential", 0.3, L.ExponentialLR, lambda t: 0.3 * 0.93 ** t, gamma=0.93),
        optax_case("linear", "linear_schedule", optax.linear_schedule(0.2, 0.05, 33), lambda t: line(0.2, 0.05, min(t / 33, 1))),
        torch_case("linear_up", 0.3, L.LinearLR, lambda t: line(0.1, 0.3, min(t / 25, 1)), start_factor=1 / 3, end_factor=1.0, total_iters=25),
        optax_case("polynomial", "polynomial_schedule", optax.polynomial_schedule(0.2, 0.01, 2.5, 47),
                   lambda t: 0.01 + 0.19 * (1 - min(t / 47, 1)) ** 2.5),
        torch_case("polynomial_to_zero", 0.2, L.PolynomialLR, lambda t: 0.2 * (1 - min(t / 40, 1)) ** 2, total_iters=40, power=2.0),
        optax_case("cosine", "cosine_decay_schedule", optax.cosine_decay_schedule(0.2, 43, alpha=0.05),
                   lambda t: mix(0.2, 0.01, min(t / 43, 1))),
        torch_case("cosine_to_zero", 0.2, L.CosineAnnealingLR, lambda t: mix(0.2, 0, t / 60), T_max=60),
        torch_case("cosine_restarts", 0.2, L.CosineAnnealingWarmRestarts, restarts(0.2, 13, 1, 0.0), T_0=13),
        torch_case("cosine_restarts_longer", 0.2, L.CosineAnnealingWarmRestarts, restarts(0.2, 5, 2, 0.01), T_0=5, T_mult=2, eta_min=0.01),
        torch_case("inverse_sqrt", 0.2, L.LambdaLR, lambda t: 0.2 * min((t + 1) / 16, math.sqrt(16 / (t + 1))),
                   lr_lambda=lambda t: 4 * min((t + 1) ** -0.5, (t + 1) * 16 ** -1.5)),      # Vaswani et al., equation 3
        optax_case("warm_up", "warmup_cosine_decay_schedule", optax.warmup_cosine_decay_schedule(0.01, 0.2, 10, 50, 0.02),
                   lambda t: line(0.01, 0.2, t / 10) if t < 10 else mix(0.2, 0.02, min((t - 10) / 40, 1))),
        optax_case("join", "join_schedules",
                   optax.join_schedules([optax.constant_schedule(0.3), optax.linear_schedule(0.2, 0.1, 10), optax.exponential_decay(0.1, 1, 0.9)],
                                        [8, 31]),
                   lambda t: 0.3 if t < 8 else line(0.2, 0.1, min((t - 8) / 10, 1)) if t < 31 else 0.1 * 0.9 ** (t - 31)),
        torch_case("one_cycle", 0.2, L.OneCycleLR, one_cycle(0.2, 60, 0.3, 25, 1e4, mix, False), max_lr=0.2, total_steps=60),
        torch_case("one_cycle_linear", 0.2, L.OneCycleLR, one_cycle(0.2, 60, 0.25, 10, 100, line, False), max_lr=0.2, total_steps=60,
                   pct_start=0.25, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0),
        torch_case("one_cycle_three", 0.2, L.OneCycleLR, one_cycle(0.2, 60, 0.4, 25, 1e4, mix, True), max_lr=0.2, total_steps=60,
                   pct_start=0.4, three_phase=True),
        torch_case("one_cycle_three_linear", 0.2, L.OneCycleLR, one_cycle(0.2, 60, 0.5, 25, 1e4, line, True), max_lr=0.2, total_steps=60,
                   pct_start=0.5, three_phase=True, anneal_strategy="linear"),
    ]


# Plateau: the rate after each result.
RESULTS = [1.0, 0.9, 0.9, 0.89995, 0.9, 0.91, 0.8, 0.8, 0.8, 0.8, 0.8, 0.79999, 0.8, 0.8, 0.8, 0.8, 0.2, math.nan, 0.3, 0.3, 0.3, 0.3,
           0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]


def plateau(sign, mode, options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = L.ReduceLROnPlateau(optimizer, mode=mode, **options), []
    for r in RESULTS:
        scheduler.step(sign * r)
        rates.append(float(optimizer.param_groups[0]["lr"]))
    return rates


def plateau_formula(sign, mode, options):
    o = dict(factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8) | options
    rate, best, bad, cool, rates = 0.1, None, 0, 0, []
    for r in (sign * x for x in RESULTS):
        if best is None:
            better = not math.isnan(r)
        else:
            gain = (best - r) if mode == "min" else (r - best)
            better = gain > (o["threshold"] * (best if o["threshold_mode"] == "rel" else 1))
        bad, best = (0, r) if better else (bad + 1, best)
        if cool:
            cool, bad = cool - 1, 0
        if bad > o["patience"]:
            new = max(rate * o["factor"], o["min_lr"])
            rate, cool, bad = new if rate - new > o["eps"] else rate, o["cooldown"], 0
        rates.append(rate)
    return rates


def plateau_cases():
    cases = [("plateau", 1, "min", dict(patience=3)),
             ("plateau_cooldown", 1, "min", dict(factor=0.5, patience=1, cooldown=3, min_lr=0.01)),
             ("plateau_absolute", 1, "min", dict(factor=0.3, patience=2, threshold=0.05, threshold_mode="abs")),
             ("plateau_eps", 1, "min", dict(factor=0.5, patience=0, eps=0.02)),
             ("plateau_max", -1, "max", dict(patience=2, threshold_mode="abs"))]
    return [(name, f"torch.optim.lr_scheduler.ReduceLROnPlateau, torch {version('torch')}", plateau(*rest), plateau_formula(*rest))
            for name, *rest in cases]


HEADER = """\
# Reference values for the learning-rate schedules, in double precision. Written by schedules.py; do not edit. README.md says how.
#
# Lines that start with # are comments; blank lines part the cases. A case is
#   case NAME                   a test says what schedule that is
#   source TEXT                 whose numbers these are, to the end of the line
#   rates X X X ...             the rates of steps 0, 1, 2, ...; of a plateau, after each of the results
# The results are those of the line
#   results X X X ...           (plateau_max gets them with the other sign)
"""


def main():
    text = [HEADER, "results " + " ".join(repr(float(r)) for r in RESULTS), ""]
    cases = all_cases()
    checked = [(name, source, rates, [formula(t) for t in range(len(rates))]) for name, source, rates, formula in cases] + plateau_cases()
    for name, source, rates, again in checked:
        worst = max(abs(a - b) for a, b in zip(rates, again, strict=True))
        assert worst <= TOLERANCE, f"{name}: the formula differs by {worst:.3g}"
        assert name == "constant" or len(set(rates)) > 2, name
        text += [f"case {name}", f"source {source}", "rates " + " ".join(repr(r) for r in rates), ""]
    Path(__file__).with_suffix(".txt").write_text("\n".join(text))
    print(f"{len(checked)} cases written")


if __name__ == "__main__":
    main()
