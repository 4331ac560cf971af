"""Changes one token of the library at a time and asks the tests whether they notice: `./run mutation [--count N] [--seed S]`.

Each change is drawn by the seed: a file of the rooms below, a place in its code, what stands there for what could stand there. The
library is built as a shared one, so that a change compiles its own file and no test. A change that does not compile is drawn anew.
Caught is one with which a test fails, crashes or hangs. The exit code is 1 when fewer than the wanted share are caught.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import threading
import time

# What is changed, and the test programs that are asked, the likeliest first.
ROOMS = [
    ("kernels", ["core/kernels/*.inl", "core/elementwise.cpp", "core/compute.cpp", "core/inplace.cpp"], ["core", "autograd", "optim", "nn"]),
    ("operations", ["autograd/ops/*.cpp"], ["autograd", "nn", "train"]),
    ("optimizers", ["optim/*.cpp", "optim/*_impl.h", "optim/sweep.h", "optim/methods/*.h", "optim/methods/*.cpp", "optim/contrib/*.h",
                    "optim/contrib/*.cpp", "optim/chain/*.cpp", "optim/around/*.cpp"], ["optim", "train"]),
    ("readers", ["data/*.cpp", "data/*.h"], ["data", "train"]),
]
INSTEAD = {
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "<": ["<=", ">"], ">": [">=", "<"], "<=": ["<"], ">=": [">"], "==": ["!="],
    "!=": ["=="], "&&": ["||"], "||": ["&&"], "+=": ["-="], "-=": ["+="], "*=": ["/="], "++": ["--"], "true": ["false"],
    "false": ["true"], "min": ["max"], "max": ["min"], "break": ["continue"], "continue": ["break"],
}
# Comments, texts, and lines of the preprocessor are no code; a number may not follow a name or a point.
HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^[ \t]*#(?:\\\n|[^\n])*|R"\(.*?\)"', re.S | re.M)
TOKEN = re.compile(r"(?<= )(?:\+|-|\*|/|<=?|>=?|==|!=|&&|\|\||[-+*]=)(?= )|\+\+|\b(?:true|false|min|max|break|continue)\b|(?<![\w.'])\d+(?![\w.'xX])")
# What decides how fast and not what: thresholds, prefetches, hints. A change there can and need not be seen.
SPEED = re.compile(r"template|static_assert|prefetch|constexpr|likely|#|reserve|explicit|using |unroll|threads|parallel|grain")


def places(path):
    """(position, token, instead) of each change that the file's code allows."""
    text = path.read_text()
    code = HIDDEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    found = []
    for match in TOKEN.finditer(code):
        start = code.rfind("\n", 0, match.start()) + 1
        line = code[start:code.find("\n", match.start())]
        if SPEED.search(line):
            continue
        token = match.group()
        for instead in INSTEAD.get(token, [str(int(token) + 1)] if token.isdigit() else []):
            found.append((match.start(), token, instead))
    return text, found


class Copy:
    """A copy of the tree with a build of its own; its files are changed and put back."""

    def __init__(self, root, folder):
        self.root = folder
        self.build = folder / "build"
        names = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True).stdout.split("\n")
        for name in filter(None, names):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != (root / name).read_bytes():
                shutil.copy2(root / name, target)

    def prepare(self, programs, jobs):
        run = lambda *command: subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.DEVNULL)
        run("cmake", "-G", "Ninja", "-S", ".", "-B", str(self.build), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON",
            "-DCAPSTAN_BUILD_EXAMPLES=OFF", "-DCAPSTAN_BUILD_BENCHMARKS=OFF")
        run("cmake", "--build", str(self.build), "-j", str(jobs), "--target", *programs)
        self.seconds = {}
        for program in programs:  # what they take unchanged: a hang is ten times that
            start = time.monotonic()
            if self.ask(program, 3600) != "passed":
                sys.exit(f"mutation: {program} fails as it is; nothing can be told from it")
            self.seconds[program] = time.monotonic() - start

    def ask(self, program, limit):
        environment = dict(os.environ, GTEST_FAIL_FAST="1", GTEST_BRIEF="1")
        try:
            done = subprocess.run([str(self.build / "tests" / program)], cwd=self.root, env=environment, timeout=limit,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "hangs"
        return "passed" if done.returncode == 0 else "crashes" if done.returncode < 0 else "fails"

    def judge(self, name, text, change, programs):
        """What the tests say of a change: "" when it does not compile, else "missed", or who noticed."""
        position, token, instead = change
        path = self.root / name
        path.write_text(text[:position] + instead + text[position + len(token):])
        try:
            compiled = subprocess.run(["cmake", "--build", str(self.build), "-j", "1", "--target", "capstan"], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL).returncode == 0
            if not compiled:
                return ""
            for program in programs:
                answer = self.ask(program, 20 + 10 * self.seconds[program])
                if answer != "passed":
                    return f"{program} {answer}"
            return "missed"
        finally:
            path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rooms", nargs="*", default=[name for name, _, _ in ROOMS], help="kernels operations optimizers readers")
    parser.add_argument("--share", type=float, default=0.95, help="of the changes that must be caught")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    flags = parser.parse_args()

    root = pathlib.Path(__file__).resolve().parent.parent
    rooms = [room for room in ROOMS if room[0] in flags.rooms]
    programs = list(dict.fromkeys(f"test_{test}" for _, _, tests in rooms for test in tests))
    copies = [Copy(root, root / "build" / "mutation" / str(k)) for k in range(flags.jobs)]
    for copy in copies:
        copy.prepare(programs, flags.jobs)

    # Each room gives as many; within it each place is as likely as another.
    draw = random.Random(flags.seed)
    pools = []
    for name, patterns, tests in rooms:
        changes = []
        for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
            text, found = places(path)
            changes += [(path.relative_to(root).as_posix(), text, change, [f"test_{test}" for test in tests]) for change in found]
        draw.shuffle(changes)
        pools.append(changes)
        print(f"{name}: {len(changes)} possible changes", flush=True)

    lock = threading.Lock()
    queue = [pool[i] for i in range(max(map(len, pools))) for pool in pools if i < len(pool)]
    results = []
    started = 0

    def work(copy):
        nonlocal started
        while True:
            with lock:
                if started >= flags.count or not queue:
                    return
                started += 1
                name, text, change, tests = queue.pop(0)
            answer = copy.judge(name, text, change, tests)
            with lock:
                if not answer:
                    started -= 1  # another instead
                    continue
                position, token, instead = change
                line = text.count("\n", 0, position) + 1
                results.append(answer)
                shown = text.splitlines()[line - 1].strip()
                print(f"{len(results):4} {answer:24} {name}:{line}: {token} -> {instead}   {shown}", flush=True)

    workers = [threading.Thread(target=work, args=(copy,)) for copy in copies]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    missed = results.count("missed")
    share = 1 - missed / len(results)
    print(f"caught {len(results) - missed} of {len(results)}: {share:.1%}")
    return 0 if share >= flags.share else 1


if __name__ == "__main__":
    sys.exit(main())
