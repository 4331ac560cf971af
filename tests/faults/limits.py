"""Signals at random moments, and disks and folders that take nothing; see faults.py."""
import os
import random
import resource
import shutil
import signal
import subprocess
import time

from harness import EPOCHS, JOBS, STEPS, demand, in_parallel, said


def signals(number, wanted_code):
    """Makes a test of runs that a signal ends at a random moment, until one comes to its end."""

    def test(program, scale, count):
        program.run(program.fresh("timed"), EPOCHS)
        start = time.monotonic()
        program.run(program.fresh("timed"), EPOCHS)
        whole = time.monotonic() - start
        sent = [0]

        def one(seed, k):
            draw = random.Random(f"{number} {seed}")
            folder = program.fresh(f"signal-{k}")
            known = -1
            for _ in range(1000):
                process = subprocess.Popen([program.path, str(folder), EPOCHS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                try:
                    output, errors = process.communicate(timeout=draw.uniform(0, 1.2 * whole))
                except subprocess.TimeoutExpired:
                    process.send_signal(number)
                    sent[0] += 1
                    output, errors = process.communicate(timeout=60)
                # -number also where it came before the program could see to it, or after its work.
                demand(process.returncode in (0, wanted_code, -number), f"{seed}: exit code {process.returncode}: {errors}")
                known = max(known, said(output))
                held = program.holds(folder)
                demand(known <= held <= known + STEPS, f"{seed}: said that {known} was saved, holds {held}")
                known = held
                if process.returncode == 0:
                    break
            program.goes_on(folder, f"signal {number}, seed {seed}", saves_differ=number == signal.SIGTERM)

        failures, seed = [], 0
        while sent[0] < count * scale and not failures:
            failures = in_parallel(JOBS, one, range(seed, seed + 2 * JOBS))
            seed += 2 * JOBS
        return sent[0], failures, f"{sent[0]} signals in {seed} runs of {whole:.2f} s"

    return test


def kills(program, scale):
    return signals(signal.SIGKILL, -signal.SIGKILL)(program, scale, 300)


def terms(program, scale):
    return signals(signal.SIGTERM, 128 + signal.SIGTERM)(program, scale, 50)


def half_done(program, name):
    """A folder in which a run was killed half-way, and what it holds."""
    folder = program.fresh(name)
    demand(program.run(folder, "1").returncode == 0, "a shorter run fails")
    return folder, program.holds(folder)


def refused(program, folder, held, reason, where, **options):
    """A run that must fail with that reason, and leave what was there."""
    done = program.run(folder, EPOCHS, **options)
    demand(done.returncode == 1 and reason in done.stderr and str(folder) in done.stderr and done.stderr.startswith("["),
           f"{where}: exit code {done.returncode}: {done.stderr}")
    demand(program.holds(folder) >= held, f"{where}: what was there is lost")


def limits(program, scale):
    """Each place that takes nothing: a clear error, and the next run goes on."""
    del scale
    failures, names = [], []

    def check(name, test):
        names.append(name)
        failures.extend(in_parallel(1, lambda item, k: test(), [name]))

    def small_files():
        folder, held = half_done(program, "fsize")
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        refused(program, folder, held, "File too large", "RLIMIT_FSIZE", preexec_fn=limit)
        program.goes_on(folder, "RLIMIT_FSIZE", saves_differ=True)

    def full_disk():
        folder, _ = half_done(program, "full")
        image = f'mount -t tmpfs -o size=64k none "$1" && cp -r "$2"/. "$1" && head -c 1000000 /dev/zero > "$1/filler" 2>/dev/null; ' \
                f'"$0" "$1" {EPOCHS}; echo "code $?"; rm "$1/filler"; "$0" "$1" holds; "$0" "$1" {EPOCHS} && ls "$1" && cat "$1/log.csv"'
        place = program.fresh("tmpfs")
        done = subprocess.run(["unshare", "-rm", "sh", "-c", image, program.path, str(place), str(folder)], capture_output=True, text=True)
        demand("code 1" in done.stdout and "No space left on device" in done.stderr and ".tmp" not in done.stdout, f"full disk: {done}")
        demand(program.wanted["log.csv"].decode() in done.stdout, f"full disk: the next run ends otherwise: {done}")

    def read_only():
        folder, held = half_done(program, "read_only")
        body = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" "$1" ' + EPOCHS
        done = subprocess.run(["unshare", "-rm", "sh", "-c", body, program.path, str(folder)], capture_output=True, text=True)
        demand(done.returncode == 1 and "Read-only file system" in done.stderr and str(folder) in done.stderr, f"read-only folder: {done}")
        demand(program.holds(folder) == held, "read-only folder: what was there is lost")
        program.goes_on(folder, "read-only folder", saves_differ=True)

    def device():
        folder = program.fresh("device")
        os.symlink("/dev/full", folder / "run.ckpt")
        done = program.run(folder, EPOCHS)
        demand(done.returncode == 1 and str(folder) in done.stderr and os.path.islink(folder / "run.ckpt"), f"/dev/full: {done}")

    def removed():
        folder = program.fresh("removed")
        process = subprocess.Popen([program.path, str(folder), "100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        while folder.exists():  # the process writes into it meanwhile
            shutil.rmtree(folder, ignore_errors=True)
        _, errors = process.communicate(timeout=60)
        demand(process.returncode == 1 and str(folder) in errors and "No such file or directory" in errors, f"folder removed: {errors}")

    def two_at_once():
        folder = program.fresh("two")
        both = [subprocess.Popen([program.path, str(folder), EPOCHS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in "ab"]
        for process in both:
            _, errors = process.communicate(timeout=120)
            demand(process.returncode == 0 or (process.returncode == 1 and errors.startswith("[")), f"two at once: {errors}")
        demand(program.holds(folder) >= 0, "two at once: nothing can be loaded")
        left = [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]
        demand(not left, f"two at once: {left} is left behind")

    def clock():
        folder, held = half_done(program, "clock")
        for path in folder.iterdir():
            os.utime(path, (4e9, 4e9) if path.name != "run.ckpt" else (1, 1))  # the newest looks the oldest
        demand(program.holds(folder) == held, "clock set back: an older file is taken for the newest")
        program.goes_on(folder, "clock set back", saves_differ=True)

    for name, test in [("RLIMIT_FSIZE", small_files), ("full tmpfs", full_disk), ("read-only folder", read_only), ("/dev/full", device),
                       ("folder removed", removed), ("two at once", two_at_once), ("clock set back", clock)]:
        check(name, test)
    return len(names), failures, ", ".join(names)
