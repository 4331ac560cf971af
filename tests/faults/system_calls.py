"""Each system call on the checkpoint's folder fails once, from then on, or is the last one: see faults.py."""
from harness import EPOCHS, JOBS, STEPS, demand, in_parallel, said, trace

ERRORS = {"write": ("ENOSPC", "No space left on device"), "openat": ("EMFILE", "Too many open files")}
OTHER = ("EIO", "Input/output error")

def injected(program, folder, what, call, injection, on, k):
    """Runs with that done to one call; with on = "+" to each from then on."""
    log = program.work / f"strace-{k}"
    flags = ["-qq", "-o", str(log), "-e", f"trace={call.name}", "-e", f"inject={call.name}:{injection}:when={call.ordinal}{on}"]
    # With --seccomp-bpf, which wants -f, the program stops for calls of that name alone; but a signal does not come then.
    fast = [] if "signal" in injection else ["-f", "--seccomp-bpf"]
    done = program.run(folder, what, ["strace", *fast, *flags])
    demand("signal" in injection or "(INJECTED)" in log.read_text(), f"{call.name} #{call.ordinal}: strace did not do {injection}: {done}")
    return done


def disturb(program, call, how, k):
    """Runs with one call disturbed, and looks at what is left."""
    folder = program.fresh(f"calls-{k}")
    error, reason = ERRORS.get(call.name, OTHER)
    injection = {"once": f"error={error}", "from then on": f"error={error}", "interrupted": "error=EINTR", "killed": "signal=KILL"}[how]
    where = f"{call.name} #{call.ordinal} {how}"
    done = injected(program, folder, EPOCHS, call, injection, "+" if how == "from then on" else "", k)
    saved = said(done.stdout)
    if how == "killed":
        demand(done.returncode != 0, f"{where}: the program ended well")
    elif how == "interrupted":
        demand(done.returncode == 0 or "Interrupted system call" in done.stderr, f"{where}: {done.returncode}, {done.stderr}")
    elif done.returncode != 0:
        demand(done.returncode == 1, f"{where}: exit code {done.returncode}: {done.stderr}")
        if (call.name, how) != ("write", "from then on"):  # which takes stderr as well
            demand(str(folder) in done.stderr and reason in done.stderr and done.stderr.startswith("["), f"{where}: tells {done.stderr}")
        left = [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]
        # Where nothing can be removed, or put back, something is left until the next run.
        may_leave = call.name.startswith("unlink") or (call.name, how) == ("rename", "from then on")
        demand(not left or may_leave, f"{where}: leaves {left}")
    held = program.goes_on(folder, where)
    demand(saved <= held <= saved + STEPS, f"{where}: said that {saved} was saved, held {held}")


def system_calls(program, scale):
    """Every call of every kind on the folder, in four ways."""
    del scale  # it is all of them already
    folder = program.fresh("traced")
    calls = [call for call in trace(program, folder)[0] if call.concerns and call.name != "execve"]
    items = [(call, how) for call in calls for how in ("once", "from then on", "interrupted", "killed")]
    failures = in_parallel(JOBS, lambda item, k: disturb(program, item[0], item[1], k), items)
    kinds = sorted({call.name for call in calls})
    return len(items), failures, f"{len(calls)} calls on the folder: {', '.join(kinds)}"


def loads(program, scale):
    """Each open, read and look of a load fails, or is interrupted: an error or unnoticed, and nothing is changed."""
    del scale
    folder = program.fresh("loaded")
    demand(program.run(folder, EPOCHS).returncode == 0, "the run that makes the file fails")
    held = program.holds(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    calls = [call for call in trace(program, folder, "holds")[0] if call.concerns and call.name != "execve"]

    def one(item, k):
        call, error = item
        where = f"load: {call.name} #{call.ordinal} {error}"
        done = injected(program, folder, "holds", call, f"error={error}", "", k)
        if done.returncode == 0:
            demand(done.stdout == f"holds {held}\n", f"{where}: {done.stdout}{done.stderr}")
        else:
            demand(done.returncode == 1 and done.stderr.startswith("[") and str(folder) in done.stderr, f"{where}: {done.stderr}")
        after = {path.name: path.read_bytes() for path in folder.iterdir()}
        for name, held_before in before.items():
            (folder / name).write_bytes(held_before)
        demand(after == before, f"{where}: files were changed")

    items = [(call, error) for call in calls for error in ("EIO", "EINTR", "EACCES")]
    return len(items), in_parallel(1, one, items), f"{len(calls)} calls of a load"
