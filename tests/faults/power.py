"""What a disk may hold after the power went: rebuilt from the calls of one run, cut after each of them; see faults.py.

What counts as on the disk: a file's bytes at its last fsync, a name as it was at its folder's last fsync. Of what came later any part may
be there: bytes lost, torn at 512 or zeros, and the changes of names up to any of them.
"""
import re

from harness import JOBS, STEPS, demand, in_parallel, trace


class File:
    def __init__(self):
        self.bytes = b""
        self.synced = b""

    def may_hold(self):
        """What may be on the disk of it."""
        if self.bytes == self.synced:
            return [self.synced]
        new = self.bytes
        common = len(self.synced) if new.startswith(self.synced) else 0
        torn = new[:common + (len(new) - common) // 1024 * 512]
        return list(dict.fromkeys([self.synced, torn, new[:common] + bytes(len(new) - common), new]))


def decoded(text):
    """The bytes of strace's "\\x68\\x65"."""
    return bytes.fromhex(text.replace("\\x", ""))


class Disk:
    """Follows the calls on one folder."""

    def __init__(self, folder):
        self.folder = str(folder).encode()
        self.names, self.synced_names, self.pending = {}, {}, []
        self.open = {}
        self.said = -1

    def name_of(self, path):
        return path[len(self.folder) + 1:].decode() if path.startswith(self.folder + b"/") else None

    def change(self, names):
        self.names = names
        self.pending.append(dict(names))

    def follow(self, call):
        """Takes in one call; False when nothing on the disk can have changed."""
        if call.result.startswith("-") or call.result == "?":
            return False
        strings = [decoded(s) for s in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', call.text)]
        number = re.match(r"(\d+)<", call.text)
        file = self.open.get(int(number[1])) if number else None
        if call.name in ("openat", "open"):
            path = strings[-1] if strings else b""
            name = self.name_of(path)
            result = int(call.result)
            self.open.pop(result, None)
            if path == self.folder:
                self.open[result] = "folder"
            elif name is not None:
                if name not in self.names:
                    self.change({**self.names, name: File()})
                self.open[result] = self.names[name]
                if "O_TRUNC" in call.text:
                    self.names[name].bytes = b""
        elif call.name in ("dup", "fcntl") and file is not None and ("DUPFD" in call.text or call.name == "dup"):
            self.open[int(call.result)] = file
        elif call.name == "close":
            self.open.pop(int(number[1]), None)
            return False
        elif call.name == "write":
            taken = strings[-1][:int(call.result)] if strings else b""
            if number[1] == "1":
                for line in taken.decode().splitlines():
                    if line.startswith("saved "):
                        self.said = int(line.split()[1])
            elif isinstance(file, File):
                file.bytes += taken
            else:
                return False
        elif call.name == "ftruncate" and isinstance(file, File):
            file.bytes = file.bytes[:int(call.text.rsplit(",", 1)[1])]
        elif call.name in ("fsync", "fdatasync"):
            if file == "folder":
                self.synced_names, self.pending = dict(self.names), []
            elif isinstance(file, File):
                file.synced = file.bytes
        elif call.name in ("rename", "renameat", "renameat2", "link", "linkat"):
            before, after = self.name_of(strings[0]), self.name_of(strings[-1])
            if before is None:
                return False
            names = {**self.names, after: self.names[before]}
            if call.name.startswith("rename"):
                del names[before]
            self.change(names)
        elif call.name in ("unlink", "unlinkat") and self.name_of(strings[-1]) is not None:
            self.change({name: held for name, held in self.names.items() if name != self.name_of(strings[-1])})
        else:
            return False
        return True

    def may_be(self):
        """Each {name: bytes} that the disk may hold now. All files lose as much: the k-th way of each, or its last."""
        for names in [self.synced_names, *self.pending]:
            ways = {name: file.may_hold() for name, file in names.items()}
            for k in range(max([len(way) for way in ways.values()], default=1)):
                yield {name: way[min(k, len(way) - 1)] for name, way in ways.items()}


def power_cuts(program, scale):
    """Cut after each call; the program must find what it had said, or what was on its way."""
    del scale
    folder = program.fresh("power")
    disk = Disk(folder)
    states = {}
    for call in trace(program, folder, strings=True)[0]:
        if disk.follow(call):
            for state in disk.may_be():
                key = tuple(sorted(state.items()))
                states[key] = max(states.get(key, -1), disk.said)
    demand(disk.said == program.saves, f"the trace ends with step {disk.said}, the program with {program.saves}")
    real = {path.name: path.read_bytes() for path in folder.iterdir()}
    demand({name: file.bytes for name, file in disk.names.items()} == real, "the files that were followed are not those that are there")

    def one(item, k):
        state, said = item
        place = program.fresh(f"power-{k}")
        for name, held in state:
            (place / name).write_bytes(held)
        where = f"power cut after \"saved {said}\", {[(name, len(held)) for name, held in state]}"
        held = program.holds(place, where)
        demand(said <= held <= said + STEPS, f"{where}: holds {held}")

    items = sorted(states.items(), key=lambda item: item[1])
    return len(items), in_parallel(JOBS, one, items), f"{len(items)} states of the disk"
