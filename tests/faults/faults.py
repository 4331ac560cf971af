"""Disturbs a program that saves and goes on, from outside: `./run faults [SCALE]`, or faults.py PROGRAM [--scale N] [TEST...].

Each test prints how many cases it tried. Whatever happens, a run that is left alone afterwards must end with the same bytes as one that
was never disturbed; what was said to be saved must be there; and what fails must say which file and why.
"""
import argparse
import os
import sys
import tempfile
import time

from harness import Failure, Program
from limits import kills, limits, terms
from power import power_cuts
from short_io import short_io
from system_calls import loads, system_calls
from valgrind import valgrind

TESTS = {"system_calls": system_calls, "power_cuts": power_cuts, "loads": loads, "short_io": short_io, "valgrind": valgrind,
         "kills": kills, "terms": terms, "limits": limits}

# Where a call decides what happens, and not a moment, nobody waits for a disk.
IN_MEMORY = ("system_calls", "power_cuts", "loads", "short_io", "valgrind")
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("tests", nargs="*", help=f"of {' '.join(TESTS)}; all of them by default")
    parser.add_argument("--scale", type=int, default=1, help="as many times the signals")
    flags = parser.parse_intermixed_args()
    bad = 0
    for name in flags.tests or TESTS:
        start = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(dir=MEMORY if name in IN_MEMORY else None) as work:
                count, failures, what = TESTS[name](Program(flags.program, work), flags.scale)
        except Failure as failure:
            count, failures, what = 0, [str(failure)], ""
        bad += len(failures) + (count == 0)
        print(f"{name}: {count} cases, {len(failures)} failed; {what}; {time.monotonic() - start:.0f} s", flush=True)
        for text in failures[:20]:
            print(f"  {text}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
