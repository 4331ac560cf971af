"""A whole run under valgrind: see faults.py."""
from harness import demand

VALGRIND = ["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full"]


def valgrind(program, scale):
    """A run that saves, and one that loads and goes on: nothing is read that was not written, no memory is lost, and the files are the same."""
    del scale
    wanted, _ = program.in_halves("halves")
    found, runs = program.in_halves("valgrind", VALGRIND, timeout=600)
    for done in runs:
        demand(not done.stderr, done.stderr)
    for name in wanted:
        demand(found[name] == wanted[name], f"{name} is another than without valgrind")
    return len(runs), [], "0 reports"
