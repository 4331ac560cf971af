"""Reference trajectories for the optimizers: writes optimizers.txt beside this file. README.md says how to run it.

Every case is computed at least twice in double precision, by a library and by the plain formula in formulas.py, and
a third time in extended precision, to show that a different order of operations cannot reach the tests' tolerance.
The script stops at the first disagreement, so a written file is a checked file.
"""
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

from case import FIRST
from cases import DYNET, JAX, KERAS, MLX, OPTAX, TORCH, all_cases

DISTINCT = 1e-9              # two cases whose options differ must end at least this far apart

HEADER = """\
# Reference trajectories for the optimizers, in double precision. Written by optimizers.py; do not edit. README.md says how.
# {versions}
#
# Lines that start with # are comments; blank lines part the cases. A case is these lines in this order, one blank between
# words; X stands for six numbers.
#   case NAME
#   method METHOD                   as optim::make() knows it
#   preset -|default|DIALECT(RATE)  what else gives these options: nothing, an untouched struct, AdagradOptions::DIALECT(RATE)
#   shape SIZE ...                  the parameter's; its six elements are listed row by row
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
    return [f"case {c.name}", f"method {c.method}", f"preset {c.preset}", "shape " + " ".join(map(str, c.shape)),
            "options " + " ".join(f"{k}={v + 0!r}" for k, v in c.options.items()), f"source {c.source}",
            "checked " + ", ".join([label for label, _, _ in c.checks] + ["the formula in double and in extended precision"]),
            f"w0 {numbers(c.w0)}", *([f"g {numbers(FIRST)}"] if c.first else [f"a {numbers(c.a)}", f"b {numbers(c.b)}"]),
            *(f"w {t} {numbers(c.points[t])}" for t in c.steps), "end"]


def main():
    cases = all_cases()
    for case in cases:
        case.compute()
    for x, y in combinations(cases, 2):      # each option must matter (and the options of Keras and Optax are the same)
        if (x.method, x.first, x.shape) == (y.method, y.first, y.shape) and x.options != y.options:
            apart = x.distance(x.points[x.steps[-1]], y.points[y.steps[-1]])
            assert apart > DISTINCT, f"{x.name} and {y.name} end only {apart:.3g} apart"
    header = HEADER.format(versions=", ".join([f"numpy {version('numpy')}", TORCH, JAX, OPTAX, KERAS, MLX, DYNET]))
    Path(__file__).with_suffix(".txt").write_text("\n".join([header] + ["\n".join(case_text(c) + [""]) for c in cases]))
    print(f"{len(cases)} cases written")


if __name__ == "__main__":
    main()
