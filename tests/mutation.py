"""Changes one token of the library at a time and asks the tests whether they notice: `./run mutation [--count N] [--seed S]`.

Each change is drawn by the seed: a file of the rooms below, a place in its code, what stands there for what could stand there. The
library is built as a shared one, so that a change compiles the files that hold it and no test. What does not compile without a warning,
or to the same machine code, is no change and drawn anew. Caught is one with which a test fails, crashes or hangs. Each that is missed is
printed with its line; the exit code is 1 when fewer than the wanted share are caught. The list EQUIVALENT has those that nobody could
notice, one by one with the reason.
"""
import argparse
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

# What is changed, and the test programs that are asked: of each first the tests of the file's name, then all, the quick ones first.
ROOMS = [
    ("kernels", ["core/kernels/*.inl", "core/elementwise.cpp", "core/compute.cpp", "core/inplace.cpp"], ["core", "autograd", "nn"]),
    ("operations", ["autograd/ops/*.cpp"], ["autograd", "nn"]),
    ("optimizers", ["optim/*.cpp", "optim/*_impl.h", "optim/sweep.h", "optim/methods/*.h", "optim/methods/*.cpp", "optim/contrib/*.h",
                    "optim/contrib/*.cpp", "optim/chain/*.cpp", "optim/around/*.cpp"], ["optim", "nn"]),
    ("readers", ["data/*.cpp", "data/*.h"], ["data"]),
]
INSTEAD = {
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "<": ["<=", ">"], ">": [">=", "<"], "<=": ["<"], ">=": [">"], "==": ["!="],
    "!=": ["=="], "&&": ["||"], "||": ["&&"], "+=": ["-="], "-=": ["+="], "*=": ["/="], "++": ["--"], "true": ["false"],
    "false": ["true"], "min": ["max"], "max": ["min"], "break": ["continue"], "continue": ["break"],
}
# Comments, texts, and lines of the preprocessor are no code; a number may not follow a name or a point.
HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|^[ \t]*#(?:\\\n|[^\n])*|R"\(.*?\)"', re.S | re.M)
TOKEN = re.compile(r"(?<= )(?:\+|-|\*|/|<=?|>=?|==|!=|&&|\|\||[-+*]=)(?= )|\+\+|\b(?:true|false|min|max|break|continue)\b|(?<![\w.'])\d+(?![\w.'xX])")
# What decides how fast and not what: a change there can and need not be seen. So do the kernels' constants, sizes of tiles and windows.
SPEED = re.compile(r"^\s*template|static_assert|prefetch|reserve\(|parallel_for|grain|worth_looking|\bahead\b|piece(_bytes|_size)? =")
TILES = re.compile(r"(?<!if )constexpr")
# (file, a part of the line, token, instead): why no test could tell.
EQUIVALENT = [
    ("data/json.cpp", "while (at_ < text_.size() && text_[at_] == ' ') ++at_;", "<", "<=", "behind the text there is a zero byte"),
    ("data/table_parts.cpp", "return point + (negative ? -exponent : exponent) <= 0;", "<=", "<",
     "asked only of what no double holds, which 0.1 to 1 is not"),
    ("autograd/ops/norm.cpp", "sign = v > 0 ? T(1) : v < 0 ? T(-1) : v;", ">", ">=", "where v is 0 the sign is asked for by nobody"),
    ("core/kernels/gemm.inl", "const std::int64_t blocks = (n + most - 1) / most;", "-", "+", "how many blocks, of the same columns"),
    ("optim/sweep.h", "sweep_by<Decay::own, keeps>(0, out, in, make, more...);", "0", "1", "no decay takes the factor"),
    ("optim/chain/chain.cpp", "nodes[i].reached.resize(parameter + 1);", "1", "2", "cut to that length at the end"),
    ("data/zip.h", "std::uint64_t begin = 0;", "0", "1", "set before anybody reads it"),
    ("optim/line_search.cpp", "for (; i + 8 <= n; i += 8)", "<=", "<", "another order of the same sum, whose bits are nobody's"),
]
# The kernels' instruction sets, the best first, and what /proc/cpuinfo calls their mark.
SETS = [("v4", "avx512vl"), ("v3", "avx2"), ("v2", "sse4_2"), ("plain", "")]


def places(root, name, seed):
    """(rank, name, position, token, instead) of each change that the file's code allows; the rank stays when other lines change."""
    text = (root / name).read_text()
    code = HIDDEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    seen = {}
    for match in TOKEN.finditer(code):
        start = code.rfind("\n", 0, match.start()) + 1
        end = code.find("\n", match.start())
        if SPEED.search(code[start:end]) or name.startswith("core/") and TILES.search(code[start:end]):
            continue
        token = match.group()
        for instead in INSTEAD.get(token, [str(int(token) + 1)] if token.isdigit() else []):
            line = text[start:end].strip()
            if any(name == file and part in line and [token, instead] == change for file, part, *change, _ in EQUIVALENT):
                continue
            key = f"{seed} {name} {line} {match.start() - start} {instead}"
            seen[key] = seen.get(key, 0) + 1
            yield hashlib.sha256(f"{key} {seen[key]}".encode()).hexdigest(), name, match.start(), token, instead


class Copy:
    """A copy of the tree with a build of its own; its files are changed and put back."""

    def __init__(self, root, folder, programs, jobs):
        self.root = folder
        self.build = folder / "build" / "release"
        listed = subprocess.run(["git", "ls-files"], cwd=root, check=True, capture_output=True, text=True).stdout.split("\n")
        for name in filter(None, listed):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != (root / name).read_bytes():
                shutil.copyfile(root / name, target)
        run = lambda *command, **more: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, **more).stdout
        run("cmake", "--preset", "release", "-DCAPSTAN_WERROR=ON", "-DBUILD_SHARED_LIBS=ON", "-DCAPSTAN_BUILD_EXAMPLES=OFF",
            "-DCAPSTAN_BUILD_BENCHMARKS=OFF")
        run("ninja", "-C", str(self.build), "-j", str(jobs), "capstan", *programs)

        # Which objects hold a file, as the compiler said, and how they and the library are made.
        self.objects = {}
        for block in run("ninja", "-C", str(self.build), "-t", "deps").split("\n\n"):
            target, *files = block.split("\n")
            if target.startswith("CMakeFiles/capstan.dir/"):
                for file in {os.path.realpath(self.build / file.strip()) for file in files}:
                    self.objects.setdefault(file, []).append(target.split(":")[0])
        lines = run("ninja", "-C", str(self.build), "-t", "commands", "capstan").strip().split("\n")
        self.commands = {found.group(1): line for line in lines if (found := re.search(r" -o (\S+\.o) -c ", line))}
        self.link = lines[-2]

        self.done(self.link)  # the last change's may be there
        self.tests, self.seconds = {}, {}
        for program in programs:
            suite = ""
            for line in run(str(self.build / "tests" / program), "--gtest_list_tests").split("\n")[1:]:
                line = line.split("  #")[0]
                if line.startswith("  "):
                    self.tests.setdefault(program, []).append(suite + line.strip())
                suite = suite if line.startswith("  ") else line.strip()
            start = time.monotonic()
            if self.ask(program, "*", "") != "passed":
                sys.exit(f"mutation: {program} fails as it is; nothing can be told from it")
            self.seconds[program] = time.monotonic() - start
            print(f"{program}: {self.seconds[program]:.0f} s", flush=True)

    def ask(self, program, tests, isa):
        limit = 20 + 5 * self.seconds.get(program, 360)  # where it hangs: a busy machine is slower than it was

        def bound():  # a change may fill the memory
            os.setpgrp()
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        environment = dict(os.environ, GTEST_FAIL_FAST="1", GTEST_BRIEF="1", GTEST_FILTER=tests, CAPSTAN_ISA=isa)
        with subprocess.Popen([str(self.build / "tests" / program)], cwd=self.root, env=environment, preexec_fn=bound, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace") as running:
            try:
                output = running.communicate(timeout=limit)[0]
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                return "hangs"
        if running.returncode == 0:
            return "passed"
        failed = re.search(r"\[  FAILED  \] (\S+)", output)
        return failed.group(1).rstrip(",") if failed else "crashes" if running.returncode < 0 else "ends"

    def first(self, program, name):
        """A filter for the tests whose name has the file's in it."""
        stem = pathlib.Path(name).stem
        words = [stem.replace("_", "")] + [word for word in stem.split("_") if len(word) > 2]
        return ":".join(test for test in self.tests[program] if any(word in test.lower() for word in words))

    def noticed(self, name, programs, isa):
        asked = [(program, chosen) for program in programs if (chosen := self.first(program, name))]
        asked += [(program, "*") for program in sorted(programs, key=self.seconds.get)]
        for program, chosen in asked:
            if (answer := self.ask(program, chosen, isa)) != "passed":
                return f"{program} {answer}"
        return ""

    def done(self, command):
        return subprocess.run(command, shell=True, cwd=self.build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def judge(self, change, programs):
        """What the tests say of a change: None when it is none, "" when they miss it, else who noticed."""
        _, name, position, token, instead = change
        path = self.root / name
        before, objects = path.stat(), self.objects.get(os.path.realpath(path), [])
        kept = {object: ((self.build / object).read_bytes(), (self.build / object).stat()) for object in objects}
        text = path.read_text()
        path.write_text(text[:position] + instead + text[position + len(token):])
        try:
            steps = [(objects, "")]
            if name.endswith(".inl"):  # each set by itself, and asked by itself: it may not be noticed by the others' standing as they were
                flags = pathlib.Path("/proc/cpuinfo").read_text()
                steps = [([f"CMakeFiles/capstan.dir/core/kernels/{isa}.cpp.o"], isa) for isa, mark in SETS if mark in flags]
            another = False
            for some, isa in steps:
                if not all(self.done(self.commands[object]) for object in some):
                    return None
                if all((self.build / object).read_bytes() == kept[object][0] for object in some):
                    continue
                another = True
                if not self.done(self.link):
                    return None
                if answer := self.noticed(name, programs if some is steps[0][0] else programs[:1], isa):
                    return answer
                for object in some if isa else []:
                    self.put_back(object, kept[object])
            return self.noticed_inline(name, programs[:1]) if name.endswith(".h") else "" if another else None
        finally:
            path.write_text(text)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            for object, content in kept.items():
                self.put_back(object, content)

    def noticed_inline(self, name, programs):
        """The same for what the tests themselves compile of a header."""
        kept = [self.build / "tests" / "CMakeFiles" / f"{programs[0]}.dir", self.build / "tests" / programs[0]]
        for path in kept:
            subprocess.run(["cp", "-a", path, f"{path}.kept"], check=True)
        try:
            return self.noticed(name, programs, "") if self.done(f"ninja {programs[0]}") else None
        finally:
            for path in kept:
                subprocess.run(["rm", "-r", path], check=True)
                os.rename(f"{path}.kept", path)

    def put_back(self, object, content):
        (self.build / object).write_bytes(content[0])
        os.utime(self.build / object, ns=(content[1].st_atime_ns, content[1].st_mtime_ns))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="so many of those drawn")
    parser.add_argument("--only", default="", help="FILE or FILE:LINE: every change there")
    parser.add_argument("--rooms", nargs="*", default=[name for name, _, _ in ROOMS], help="kernels operations optimizers readers")
    parser.add_argument("--share", type=float, default=0.95, help="of the changes that must be caught")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    flags = parser.parse_args()

    # Each room gives as many; within it each place is as likely as another.
    root = pathlib.Path(__file__).resolve().parent.parent
    rooms = [room for room in ROOMS if room[0] in flags.rooms]
    pools = []
    for name, patterns, tests in rooms:
        files = sorted({path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)})
        changes = sorted(change for file in files for change in places(root, file, flags.seed))
        pools.append([(change, [f"test_{test}" for test in tests]) for change in changes])
        print(f"{name}: {len(changes)} possible changes", flush=True)
    queue = [pool[i] for i in range(max(map(len, pools))) for pool in pools if i < len(pool)][flags.skip:]
    line_of = lambda change, root=root: (root / change[1]).read_text().count("\n", 0, change[2]) + 1
    if flags.only:
        queue = [(change, tests) for change, tests in queue if flags.only in (change[1], f"{change[1]}:{line_of(change)}")]
    programs = list(dict.fromkeys(f"test_{test}" for _, _, tests in rooms for test in tests))
    copies = [Copy(root, root / "build" / "mutation" / str(k), programs, flags.jobs) for k in range(flags.jobs)]

    lock = threading.Lock()
    results = []
    drawn = judging = 0

    def work(copy):
        nonlocal drawn, judging
        while True:
            with lock:
                if len(results) + judging >= flags.count or drawn >= len(queue):
                    return
                change, tests = queue[drawn]
                drawn += 1
                judging += 1
            answer = copy.judge(change, tests)
            with lock:
                judging -= 1
                _, name, _, token, instead = change
                line = line_of(change, copy.root)
                shown = (copy.root / name).read_text().splitlines()[line - 1].strip()
                if answer is not None:
                    results.append(answer)
                said = "no change" if answer is None else answer or "MISSED"
                print(f"{len(results):4} {said:40} {name}:{line}: {token} -> {instead}   {shown}", flush=True)

    workers = [threading.Thread(target=work, args=(copy,)) for copy in copies]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    caught = sum(answer != "" for answer in results)
    print(f"caught {caught} of {len(results)}: {caught / max(1, len(results)):.1%}; {drawn} drawn, of {flags.skip} on")
    whole = len(results) >= flags.count or drawn >= len(queue)
    return 0 if whole and caught >= flags.share * len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
