"""Reads and writes that take less than they were asked to, and that are interrupted; see faults.py and short_io.cpp."""
import gzip
import io
import json
import pathlib
import random
import re
import struct
import zipfile

from harness import demand, in_parallel

ELEMENTS = 70_000  # more bytes than a reader takes at once


def npy(kind, size):
    """An array of random bytes, as NumPy writes it."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({ELEMENTS},), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + random.Random(kind).randbytes(size * ELEMENTS)


def npz(compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, kind, size in (("halves", "<f2", 2), ("floats", ">f4", 4)):
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy(kind, size), compression)  # of 1980: the same bytes each time
    return file.getvalue()


def safetensors():
    sizes = {"F32": 4, "F16": 2, "U8": 1}
    header, data = {}, b""
    for kind, size in sizes.items():
        header[kind] = {"dtype": kind, "shape": [ELEMENTS], "data_offsets": [len(data), len(data) + size * ELEMENTS]}
        data += random.Random(kind).randbytes(size * ELEMENTS)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def inputs():
    idx = b"\0\0\x0b\x01" + struct.pack(">I", ELEMENTS) + random.Random("idx").randbytes(2 * ELEMENTS)
    half = len(idx) // 2
    return {"in.safetensors": safetensors(), "in.npy": npy("<f8", 8), "in.npz": npz(zipfile.ZIP_STORED), "in.deflated.npz": npz(zipfile.ZIP_DEFLATED),
            "in.idx": idx, "in.idx.gz": gzip.compress(idx[:half], mtime=0) + gzip.compress(idx[half:], mtime=0),
            "in.csv": "".join(f"{i},{i / 7:.3f}\n" for i in range(ELEMENTS // 2)).encode()}


def short_io(program, scale):
    """The same bytes as of calls that take all: of a run with its saves, of a load, of a file of each format that is read and written."""
    del scale
    shim = pathlib.Path(program.path).with_name("fault_short_io.so")
    demand(shim.exists(), f"there is no {shim}: the target fault_short_io is not built")
    told = []

    def environment(size):
        return {"LD_PRELOAD": str(shim), "SHORT_IO_FOLDER": str(program.work), "SHORT_IO_BYTES": str(size)}

    def count(done, where):
        numbers = [int(number) for number in re.findall(r"short_io: cut (\d+), interrupted (\d+)\n", done.stderr)[0]]
        demand(min(numbers) > 0, f"{where}: nothing was cut: {done.stderr}")
        told.extend(numbers)

    whole = program.fresh("formats")
    for name, content in inputs().items():
        (whole / name).write_bytes(content)
    done = program.run(whole, "formats")
    demand(done.returncode == 0, f"the formats cannot be read: {done.stderr}")
    wanted = {path.name: path.read_bytes() for path in whole.iterdir()}
    demand(len(wanted) == len(inputs()) + 3, f"the formats leave {sorted(wanted)}")

    def formats(size):
        where = f"formats, at most {size} bytes at a time"
        folder = program.fresh("short")
        for name, content in inputs().items():
            (folder / name).write_bytes(content)
        done = program.run(folder, "formats", env=environment(size))
        demand(done.returncode == 0, f"{where}: exit code {done.returncode}: {done.stderr}")
        count(done, where)
        for name, bytes_wanted in wanted.items():
            demand((folder / name).read_bytes() == bytes_wanted, f"{where}: {name} is another")

    halves, _ = program.in_halves("halves")

    def training(size):
        where = f"training, at most {size} bytes at a time"
        found, runs = program.in_halves("short", env=environment(size))
        for done in runs:
            count(done, where)
        for name in halves:
            demand(found[name] == halves[name], f"{where}: {name} is another")

    # Bytes that a call takes at most.
    items = [(training, 1), (training, 7), (training, 1000), (formats, 61), (formats, 4099)]
    failures = in_parallel(1, lambda item, k: item[0](item[1]), items)
    return len(items), failures, f"{sum(told)} calls cut or interrupted"
