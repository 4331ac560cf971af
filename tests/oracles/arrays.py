"""Compares the readers and writers of arrays with NumPy's: `python arrays.py PROGRAM`, where PROGRAM is oracle_arrays.

NumPy writes files of every dtype, order, shape and version, and archives in each of zipfile's ways; the program reads them and writes
them again. What it wrote must be what numpy.save and numpy.savez write of the same numbers, widened to what a tensor holds, byte for
byte. `python arrays.py --write` makes those files of tests/fuzz/corpus that tests/data reads. Exit code 77 without NumPy."""
import gzip
import io
import itertools
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

from packages import require

require("numpy")

import numpy as np

DTYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]
SHAPES = [(), (0,), (1,), (7,), (3, 4), (4, 0, 2), (2, 3, 5), (1, 1, 6), (2, 3, 1, 4), (2, 1, 3, 2, 2), (2, 3, 1, 2, 2, 3), (300, 257)]
REFUSED = ["<c8", "<c16", "<f16", "|O", "|S3", "<U2", "<M8[s]", "<m8[ns]", "|V4"]


def widened(x):
    """The same numbers, as a tensor holds them."""
    kind = x.dtype.kind
    wide = {"b": np.bool_, "i": np.int64, "u": np.int64}.get(kind) or (np.float64 if x.dtype.itemsize == 8 else np.float32)
    return np.ascontiguousarray(x).reshape(x.shape).astype(wide)


def drawn(draw, dtype, shape):
    """Any bytes, but for what no tensor holds."""
    x = np.frombuffer(draw.bytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)
    if dtype.kind == "b":
        return (x.view(np.uint8) & 1).view(np.bool_).reshape(shape)
    if dtype.kind == "u" and dtype.itemsize == 8:
        return (x >> np.uint64(1)).astype(dtype)
    if dtype.kind == "f":  # a processor may change the bits of NaN when it widens them
        return np.where(np.isnan(x), np.array(np.nan, dtype), x).astype(dtype)
    return x


def npy(x, version=None):
    out = io.BytesIO()
    np.lib.format.write_array(out, x, version, allow_pickle=True)
    return out.getvalue()


def archive(arrays, how):
    out = io.BytesIO()
    if how == "stored":
        np.savez(out, **arrays)
    elif how == "deflated":
        np.savez_compressed(out, **arrays)
    else:  # as when it is sent on: sizes follow the bytes
        class Pipe(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                return out.write(data)

        method = zipfile.ZIP_DEFLATED if how == "piped and deflated" else zipfile.ZIP_STORED
        with zipfile.ZipFile(Pipe(), "w", method) as z:
            for name, x in arrays.items():
                with z.open(name + ".npy", "w", force_zip64=how == "piped with ZIP64") as member:
                    member.write(npy(x))
    return out.getvalue()


def idx(x):
    types = {"|u1": 8, "|i1": 9, ">i2": 11, ">i4": 12, ">f4": 13, ">f8": 14}
    return struct.pack(">HBB", 0, types[x.dtype.str], x.ndim) + b"".join(struct.pack(">I", n) for n in x.shape) + x.tobytes()


def cases():
    """(kind, label, the file's bytes, what is to be written or a part of the error)"""
    draw = np.random.default_rng(1)
    for name, order, shape in itertools.product(DTYPES, "<>", SHAPES):
        dtype = np.dtype(order + name)
        x = drawn(draw, dtype, shape)
        wanted = npy(widened(x))
        for layout, version in itertools.product("CF", [(1, 0), (2, 0), (3, 0)]):
            label = f"{dtype.str} {shape} {layout} {version}"
            yield "npy", label, npy(np.asarray(x, order=layout), version), wanted
    for name in REFUSED:
        x = np.zeros(2, name)
        yield "npy", name, npy(x), f"'{x.dtype.str}'"
    yield "npy", "structured", npy(np.zeros(2, [("a", "<f4"), ("b", "<i4")])), "several fields"
    yield "npy", "uint64", npy(np.array([1, 2**63], np.uint64)), "a uint64 must be below 2^63"
    yield "npy", "seven axes", npy(np.zeros((1,) * 7)), "at most six axes"

    names = ["weight", "é/日本", "..", "/etc/passwd", "a.npy", "arr_0"]
    arrays = {n: drawn(draw, np.dtype("<" + d), s) for n, d, s in zip(names, ["f4", "i8", "b1", "f8", "f4", "f8"], SHAPES[3:])}
    for how in ["stored", "deflated", "piped", "piped and deflated", "piped with ZIP64"]:
        for chosen in ({}, dict(list(arrays.items())[:1]), arrays):
            if chosen or "piped" not in how:
                yield "npz", f"{how} {len(chosen)}", archive(chosen, how), archive({n: widened(x) for n, x in chosen.items()}, "stored")
    zeros = {"zeros": np.zeros(1_000_000, np.float32)}
    yield "npz", "4 MB in 4 kB", archive(zeros, "deflated"), archive(zeros, "stored")
    many = {f"layer.{i}": np.full((3,), i, np.float32) for i in range(70_000)}  # more than a directory without ZIP64 counts
    yield "npz", "70,000 arrays", archive(many, "stored"), archive(many, "stored")
    yield "npz", "an object", archive({"x": np.array([None])}, "stored"), "'|O', Python's objects"

    for name, shape in itertools.product(["|u1", "|i1", ">i2", ">i4", ">f4", ">f8"], SHAPES[1:]):
        x = drawn(draw, np.dtype(name), shape)
        whole = idx(x)
        half = len(whole) // 2
        for label, data in [("plain", whole), ("gzip", gzip.compress(whole)),
                            ("members", gzip.compress(whole[:half]) + gzip.compress(b"") + gzip.compress(whole[half:]))]:
            yield "idx", f"{name} {shape} {label}", data, npy(widened(x))


def main(program):
    bad, asked = 0, list(cases())
    with tempfile.TemporaryDirectory() as folder:
        paths = [(os.path.join(folder, f"{i}.in"), os.path.join(folder, f"{i}.out")) for i in range(len(asked))]
        for (_, _, data, _), (given, _) in zip(asked, paths):
            pathlib.Path(given).write_bytes(data)
        lines = "".join(f"{kind}\t{given}\t{made}\n" for (kind, _, _, _), (given, made) in zip(asked, paths))
        run = subprocess.run([program], input=lines, capture_output=True, check=True, text=True)
        answers = run.stdout.splitlines()
        assert len(answers) == len(asked), f"{len(answers)} answers to {len(asked)} questions"
        for (kind, label, _, wanted), (_, made), answer in zip(asked, paths, answers):
            if isinstance(wanted, str):
                right = wanted in answer
            else:
                right = answer == "done" and pathlib.Path(made).read_bytes() == wanted
            if not right:
                print(f"{kind} {label}: {answer if answer != 'done' else 'other bytes'}")
                bad += 1
    print(f"{len(asked)} files compared with NumPy {np.__version__}, {bad} differ")
    return bad != 0


def write(corpus):
    """One small file of each kind, as this NumPy writes it: x[i] = i - 3, or i for what has no sign."""
    def counted(dtype, shape):
        n = np.arange(int(np.prod(shape))).reshape(shape)
        return (n % 2 == 0).astype(dtype) if np.dtype(dtype).kind == "b" else (n - 3 * (np.dtype(dtype).kind != "u")).astype(dtype)

    def put(kind, name, data):
        (corpus / kind).mkdir(exist_ok=True)
        (corpus / kind / name).write_bytes(data)

    for name in DTYPES:
        put("npy", f"{name}.npy", npy(counted("<" + name, (2, 3)), (1, 0)))
        put("npy", f"{name}_big_fortran.npy", npy(np.asfortranarray(counted(">" + name, (2, 3, 2))), (2, 0)))
    for label, shape in [("0d", ()), ("empty", (3, 0, 2)), ("6d", (1, 2, 1, 3, 2, 2))]:
        put("npy", f"{label}.npy", npy(counted("<f8", shape), (3, 0)))
    arrays = {"weight": counted("<f4", (2, 3)), "é/b": counted("<i8", (4,)), "mask": counted("b1", (3,))}
    for how in ["stored", "deflated", "piped", "piped and deflated", "piped with ZIP64"]:
        put("npz", how.replace(" ", "_") + ".npz", archive(arrays, how))
    for name in ["|u1", "|i1", ">i2", ">i4", ">f4", ">f8"]:
        whole = idx(counted(name, (2, 3)))
        put("idx", name[1:], whole)
        put("idx", name[1:] + ".gz", gzip.compress(whole, mtime=0))
        put("idx", name[1:] + "_members.gz", gzip.compress(whole[:9], mtime=0) + gzip.compress(whole[9:], mtime=0))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write(pathlib.Path(__file__).resolve().parents[1] / "fuzz/corpus")
    else:
        sys.exit(main(sys.argv[1]))
