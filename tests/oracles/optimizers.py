"""Reference trajectories for the optimizers: writes optimizers.txt beside this file, and the NUMBERS at the end of each file in
contrib/. README.md says how to run it.

    python optimizers.py                    every method, by every library
    python optimizers.py lion rmsprop       these alone, by the libraries that they need; the other cases stay as they are

Every case is computed at least twice in double precision, by a library and by the plain formula in formulas.py, and
a third time in extended precision, to show that a different order of operations cannot reach the tests' tolerance.
The script stops at the first disagreement, so a written file is a checked file.
"""
import re
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import libraries
from case import FIRST
from cases import all_cases
from formulas import CONTRIB, DEFAULTS

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


def stored():
    """The versions and the cases of the files: {package: "package version"}, {name: text}."""
    text = Path(__file__).with_suffix(".txt").read_text()
    versions = {v.split()[0]: v for v in text.split("\n")[1][2:].split(", ")}
    text += "".join(method.NUMBERS for method in CONTRIB.values())
    return versions, {m[1]: m[0] for m in re.finditer(r"^case (\S+)\n.*?^end\n", text, re.M | re.S)}


def write(cases, texts, versions):
    """The cases of optim/contrib into the file of their method, the others into optimizers.txt."""
    for name, method in CONTRIB.items():
        file = Path(method.__file__)
        numbers = "\n".join(texts[c.name] for c in cases if c.method == name)
        file.write_text(file.read_text().split("\nNUMBERS = ")[0] + f'\nNUMBERS = """\n{numbers}"""\n')
    header = HEADER.format(versions=versions)
    Path(__file__).with_suffix(".txt").write_text("\n".join([header] + [texts[c.name] for c in cases if c.method not in CONTRIB]))


def compute(cases):
    for case in cases:
        try:
            case.compute()
        except ModuleNotFoundError as error:
            package = libraries.PACKAGES.get(error.name.split(".")[0], error.name)
            sys.exit(f"{case.name} needs {package} (pip install {package}; or name methods that do without, as: python optimizers.py lion)")


def main(methods):
    unknown = [m for m in methods if m not in DEFAULTS]
    if unknown:
        sys.exit(f"no method {', '.join(unknown)}; there are {', '.join(DEFAULTS)}")
    cases = all_cases()
    wanted = [c for c in cases if not methods or c.method in methods]
    compute(wanted)
    for x, y in combinations(wanted, 2):     # each option must matter (and the options of Keras and Optax are the same)
        if (x.method, x.first, x.shape) == (y.method, y.first, y.shape) and x.options != y.options:
            apart = x.distance(x.points[x.steps[-1]], y.points[y.steps[-1]])
            assert apart > DISTINCT, f"{x.name} and {y.name} end only {apart:.3g} apart"
    versions, texts = stored()
    versions |= {"numpy": f"numpy {version('numpy')}"} | {libraries.PACKAGES[m]: libraries.title(m) for m in libraries.loaded}
    new = {c.name: "\n".join(case_text(c) + [""]) for c in wanted}
    for name, text in new.items():
        if texts.get(name) != text:
            print(f"{name} is {'new' if name not in texts else 'another than before'}")
    texts |= new
    missing = [c.name for c in cases if c.name not in texts]
    if missing:
        sys.exit(f"these are in no file yet, compute them too: {', '.join(missing)}")
    order = ["numpy"] + [libraries.PACKAGES[m] for m in ("torch", "jax", "optax", "keras", "mlx", "dynet")]
    write(cases, texts, ", ".join(versions[p] for p in order))
    print(f"{len(wanted)} cases computed, {len(cases)} written")


if __name__ == "__main__":
    main(sys.argv[1:])
