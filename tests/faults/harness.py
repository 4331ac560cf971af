"""What the fault tests share: running the program in a folder of its own, and reading what it did from strace."""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

EPOCHS = "2"
FILES = ["run.ckpt", "run.ckpt.best", "log.csv"]  # what a run that was disturbed must leave as one that was not
STEPS = 3  # from one save to the next


class Failure(Exception):
    """What a test found."""


def demand(condition, text):
    if not condition:
        raise Failure(text)


class Program:
    """fault_program; `folder` is removed and made anew for each run."""

    def __init__(self, path, work):
        self.path = str(pathlib.Path(path).resolve())
        self.work = pathlib.Path(work)
        whole = self.fresh("undisturbed")
        done = self.run(whole, EPOCHS)
        demand(done.returncode == 0, f"the undisturbed run fails: {done.stderr}")
        self.wanted = {name: (whole / name).read_bytes() for name in FILES}
        self.saves = said(done.stdout)
        demand(self.saves == 10, f"the undisturbed run must make 10 steps: {done.stdout}")

    def in_halves(self, name, before=(), **options):
        """The files that a run leaves which ends after its first epoch, and is gone on with; and the two runs' results."""
        folder, runs = self.fresh(name), []
        for epochs, begins_with in (("1", -1), (EPOCHS, 5)):
            done = self.run(folder, epochs, before, **options)
            demand(done.returncode == 0, f"{name}: exit code {done.returncode}: {done.stderr}")
            demand(held(done.stdout) == begins_with, f"{name}: begins with {held(done.stdout)}, not with {begins_with}")
            runs.append(done)
        return {file: (folder / file).read_bytes() for file in FILES}, runs

    def fresh(self, name):
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def run(self, folder, what, before=(), **options):
        # With one thread no line of strace is split by another's.
        options = {"timeout": 120, **options, "env": {**os.environ, "OPENBLAS_NUM_THREADS": "1", **options.get("env", {})}}
        return subprocess.run([*before, self.path, str(folder), what], capture_output=True, text=True, **options)

    def holds(self, folder, where=""):
        """After how many steps the save is that a resume finds there; -1 for none."""
        done = self.run(folder, "holds")
        demand(done.returncode == 0, f"{where} what is there cannot be loaded: {done.stderr}")
        return held(done.stdout)

    def goes_on(self, folder, where, saves_differ=False):
        """The next run, left alone, ends as the undisturbed one did, with nothing left behind. A save more, at a signal, counts.
        Returns what it began with, as holds() does."""
        done = self.run(folder, EPOCHS)
        demand(done.returncode == 0, f"{where}: the next run fails: {done.stderr}")
        for name, bytes_wanted in self.wanted.items():
            demand((folder / name).exists(), f"{where}: after the next run there is no {name}")
            found = (folder / name).read_bytes()
            if saves_differ and ".ckpt" in name:
                found, bytes_wanted = without_count(found), without_count(bytes_wanted)
            demand(found == bytes_wanted, f"{where}: after the next run {name} is another")
        left = [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]
        # What a killed process left goes with the next save; a run that was finished already makes none.
        demand(not left or said(done.stdout) < 0, f"{where}: after the next run {left} is left behind")
        return held(done.stdout)


def without_count(checkpoint):
    """A checkpoint's header and data without the number of its save, and what follows from it: its checksum, and the header's padding."""
    size = int.from_bytes(checkpoint[:8], "little")
    header = json.loads(checkpoint[8:8 + size])
    for key in ("save", "crc32"):
        header["__metadata__"].pop(key, None)
    return header, checkpoint[8 + size:]


def said(output):
    """After how many steps the last save was made that a run tells of; -1 for none."""
    found = re.findall(r"^saved (\d+)$", output, re.M)
    return int(found[-1]) if found else -1


def held(output):
    """What a run tells that it begins with; -1 for nothing."""
    found = re.search(r"^holds (\d+|nothing)$", output, re.M)
    demand(found, f"the program does not say what it holds: {output}")
    return -1 if found[1] == "nothing" else int(found[1])


class Call:
    """One line of strace: the k-th call of its name in its process."""

    def __init__(self, name, ordinal, text, result, concerns):
        self.name, self.ordinal, self.text, self.result, self.concerns = name, ordinal, text, result, concerns


def trace(program, folder, what=EPOCHS, strings=False):
    """The calls of the program's first thread, in order, and what it printed."""
    with tempfile.NamedTemporaryFile("r") as file:
        flags = ["-s", "100000000", "-xx"] if strings else []
        done = program.run(folder, what, ["strace", "-f", "-y", "-qq", *flags, "-e", "trace=%file,%desc", "-o", file.name])
        lines = file.read().splitlines()
    calls, counts = [], {}
    first = lines[0].split()[0]
    wanted = "".join(f"\\x{byte:02x}" for byte in str(folder).encode()) if strings else str(folder)
    for line in lines:
        match = re.match(r"(\d+) +(\w+)\((.*)\) += (-?\d+|\?|0x[0-9a-f]+)", line)
        if not match or match[1] != first:
            continue
        name = match[2]
        counts[name] = counts.get(name, 0) + 1
        concerns = wanted in line or str(folder) in line
        calls.append(Call(name, counts[name], match[3], match[4], concerns))
    demand(calls, f"strace shows nothing: {done.stderr}")
    return calls, done


def in_parallel(jobs, work, items):
    """work(item, k) for each item, k being its worker's number; the texts of those that failed."""
    free = list(range(jobs))

    def one(item):
        k = free.pop()
        try:
            work(item, k)
        except Failure as failure:
            return str(failure)
        except subprocess.TimeoutExpired as hang:
            return f"{item}: hangs: {hang}"
        finally:
            free.append(k)
        return None

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return [text for text in pool.map(one, items) if text]


JOBS = os.cpu_count() or 1
