"""Compares save() and load() with safetensors' own package: `python safetensors_files.py PROGRAM`, where PROGRAM is safetensors_answers.

The same tensors must become the same bytes; a PyTorch state dict must predict the same here and go back with strict=True; numbers must
widen as PyTorch widens them; and of files that were tampered with, whatever is read here the package must read as well, and as the same.
`python safetensors_files.py --write FOLDER` writes the files of tests/data/safetensors. Exit code 77 without the packages."""
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

from packages import require

require("numpy", "torch", "safetensors")

import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

NATIVE = [np.float32, np.float64, np.int64, np.bool_]
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
          "I16": torch.int16, "I8": torch.int8, "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
          "BOOL": torch.bool}
LETTERS = ["a", "b", "weight", ".", "0", "/", "\\", '"', "\x00", "\x1f", "\x7f", "\n", "é", "\u2028", "\U0001f600", " "]


def some_text(draw):
    return "".join(draw.choices(LETTERS, k=draw.randrange(8)))


def some_tensors(draw, dtypes):
    numbers = np.random.default_rng(draw.randrange(2**32))
    tensors = {}
    for _ in range(draw.randrange(12)):
        dtype, shape = np.dtype(draw.choice(dtypes)), [draw.randrange(4) for _ in range(draw.randrange(7))]
        raw = numbers.integers(0, 2 if dtype == np.bool_ else 256, int(np.prod(shape)) * dtype.itemsize, np.uint8)
        tensors[some_text(draw)] = raw.view(dtype).reshape(shape)
    return tensors


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} {arguments}: {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def compare_bytes(program, folder, count=200):
    """With one key of metadata: the package's order of several is a new one each time."""
    for seed in range(count):
        draw = random.Random(seed)
        metadata = {some_text(draw): some_text(draw)} if seed % 2 else None
        safetensors.numpy.save_file(some_tensors(draw, NATIVE), folder / "theirs", metadata)
        run(program, "copy", folder / "theirs", folder / "ours")
        if (folder / "theirs").read_bytes() != (folder / "ours").read_bytes():
            yield f"other bytes than the package's, seed {seed}: {(folder / 'ours').read_bytes()!r}"


def network(sizes):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers += ([torch.nn.ReLU()] if i else []) + [torch.nn.Linear(a, b)]
    return torch.nn.Sequential(*layers)


def compare_models(program, folder, count=20):
    for seed in range(count):
        torch.manual_seed(seed)
        sizes = [random.Random(seed).randrange(1, 70) for _ in range(2 + seed % 4)]
        model, x = network(sizes), torch.randn(50, sizes[0])
        safetensors.torch.save_file(model.state_dict(), folder / "state", {"format": "pt"})
        safetensors.torch.save_file({"x": x}, folder / "x")
        run(program, "predict", folder / "state", folder / "x", folder / "y", folder / "back", *sizes)
        y, wanted = safetensors.torch.load_file(folder / "y")["y"], model(x)
        if not torch.allclose(y, wanted, rtol=1e-6, atol=1e-6):
            yield f"another prediction, seed {seed}, sizes {sizes}: by {(y - wanted).abs().max():.3g}"
        other = network(sizes)
        other.load_state_dict(safetensors.torch.load_file(folder / "back"), strict=True)
        if any(not torch.equal(a, b) for a, b in zip(model.state_dict().values(), other.state_dict().values())):
            yield f"another state came back, seed {seed}"
        if (folder / "back").read_bytes() != (folder / "state").read_bytes():
            yield f"the state came back in other bytes, seed {seed}"


def widened(t):
    """What Capstan holds such a tensor as."""
    if t.dtype in (torch.float16, torch.bfloat16):
        return t.to(torch.float32)
    return t if t.dtype in (torch.float32, torch.float64, torch.bool) else t.to(torch.int64)


def differs(ours, theirs):
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        return f"{ours.dtype}{list(ours.shape)} and not {theirs.dtype}{list(theirs.shape)}"
    if not theirs.is_floating_point():
        return None if torch.equal(ours, theirs) else "other values"
    same = torch.where(theirs.isnan(), ours.isnan(), (ours == theirs) & (ours.signbit() == theirs.signbit()))
    return None if same.all() else "other values"


def compare_widening(program, folder):
    """Every half and every bfloat, and the ends of each integer's range."""
    halves = torch.from_numpy(np.arange(65536, dtype=np.uint16))
    tensors = {"F16": halves.view(torch.float16), "BF16": halves.clone().view(torch.bfloat16)}
    for name in ("I8", "I16", "I32", "U8", "U16", "U32"):
        ends = torch.iinfo(DTYPES[name])
        tensors[name] = torch.tensor([ends.min, ends.max, 0, 1, ends.max // 3], dtype=DTYPES[name])
    tensors["U64"] = torch.tensor([0, 1, 2**63 - 1], dtype=torch.uint64)
    safetensors.torch.save_file(tensors, folder / "theirs")
    run(program, "copy", folder / "theirs", folder / "ours")
    ours = safetensors.torch.load_file(folder / "ours")
    for name, t in tensors.items():
        if text := differs(ours[name], widened(t)):
            yield f"{name}: {text}"


def theirs(data):
    """What the package reads, as tensors by name; None when it refuses. deserialize() alone has no opinion on a BOOL byte of 2."""
    try:
        found = safetensors.deserialize(data)
    except safetensors.SafetensorError:
        return None
    return {name: torch.frombuffer(bytearray(t["data"]), dtype=DTYPES[t["dtype"]]).reshape(t["shape"]) if t["data"] else
            torch.empty(t["shape"], dtype=DTYPES[t["dtype"]]) for name, t in found if t["dtype"] in DTYPES}


def tampered(draw):
    """A file of the package with a few changes to its header, whose length then follows."""
    dtypes = [np.float32, np.int64, np.bool_, np.float16, np.uint8, np.int32]
    data = safetensors.numpy.save(some_tensors(draw, dtypes), {some_text(draw): some_text(draw)} if draw.random() < 0.5 else None)
    size = int.from_bytes(data[:8], "little")
    json, rest = bytearray(data[8:8 + size]), bytearray(data[8 + size:])
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(json))
        match draw.randrange(6):
            case 0: json[at] ^= 1 << draw.randrange(8)
            case 1: json[at:at + 1] = b"%d" % draw.randrange(100)
            case 2: json[at:at] = draw.choice([b" ", b"\t", b"\n", b",", b'"', b"\\u0041", b"\\ud83d\\ude00", b"\\/", b"1", b"0", b"-", b".0", b"{}"])
            case 3: del json[at:at + draw.randrange(4)]
            case 4: json[at:at] = json[at:at + draw.randrange(80)]
            case _: rest = rest + bytearray(draw.randrange(3)) if draw.random() < 0.5 else rest[:max(0, len(rest) - draw.randrange(3))]
    return len(json).to_bytes(8, "little") + json + rest


def compare_tampered(program, folder, count=3000):
    (folder / "tampered").mkdir()
    (folder / "read").mkdir()
    files = [folder / "tampered" / str(seed) for seed in range(count)]
    for seed, file in enumerate(files):
        file.write_bytes(tampered(random.Random(seed)))
    (folder / "list").write_text("".join(f"{file}\n" for file in files))
    says, read = run(program, "read", folder / "list", folder / "read"), 0
    assert len(says) == count
    for file, said in zip(files, says):
        wanted = theirs(file.read_bytes())
        if said != "read":
            if not said.startswith("[load] "):
                yield f"{file.name}: {said}"
            continue
        read += 1
        ours = theirs((folder / "read" / file.name).read_bytes())
        if wanted is None or wanted.keys() != ours.keys():
            yield f"{file.name} is read here, and by the package otherwise: {file.read_bytes()!r}"
            continue
        for name, t in wanted.items():
            if text := differs(ours[name], widened(t)):
                yield f"{file.name}: {name!r}: {text}: {file.read_bytes()!r}"
    if not count // 20 < read < count * 19 // 20:
        yield f"{read} of {count} files were read: no comparison"


def write(folder):
    torch.manual_seed(0)
    model, x = network([4, 8, 3]), torch.randn(5, 4)
    safetensors.torch.save_file(model.state_dict(), folder / "mlp.safetensors", {"format": "pt"})
    safetensors.torch.save_file({"x": x, "y": model(x).detach()}, folder / "mlp_answers.safetensors")
    safetensors.torch.save_file({name: torch.tensor([[0, 1], [1, 1]] if name == "BOOL" else [[0, 1], [2, 100]], dtype=dtype)
                                 for name, dtype in DTYPES.items()}, folder / "dtypes.safetensors")
    safetensors.numpy.save_file({"": np.array(0.5), 'é/"\\\x01': np.zeros((2, 0, 3), np.float32), "\U0001f600": np.array([True]),
                                 "a": np.arange(3)}, folder / "names.safetensors", {"\t": "\U0001f600\x7f"})


def main(program):
    warnings.filterwarnings("ignore", message="The given buffer is not writable")
    torch.set_num_threads(1)
    bad = []
    with tempfile.TemporaryDirectory() as name:
        for part in (compare_bytes, compare_models, compare_widening, compare_tampered):
            bad += part(program, pathlib.Path(name))
    print("\n".join(bad[:20]))
    print(f"compared with safetensors {safetensors.__version__} and PyTorch {torch.__version__}: {len(bad)} differences")
    return bad != []


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write(pathlib.Path(sys.argv[2]))
    else:
        sys.exit(main(sys.argv[1]))
