"""Compares the operations with PyTorch's: `python operations.py PROGRAM`, where PROGRAM is oracle_answers.

200 random shapes for each operation, from a fixed seed, values and gradients in double precision to 1e-12; then inputs among
which NaN, infinities, zeros of both signs and the ends of the range are sprinkled. NaN and infinities must stand in the same
places, in values zeros too, with their sign. What questions_extremes.py asks lies at the ends of the range, and PyTorch computes it
where nothing overflows. Exit code 77 without PyTorch."""
import struct
import subprocess
import sys
import warnings
import zlib

from packages import require

require("numpy", "torch")

import numpy as np
import torch

import questions_extremes
import questions_listed
from questions import EDGES, Draw, Question, weights

SHAPES, EDGE_CASES = 200, 60
TOLERANCES = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 2e-6}
DTYPES = [np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.bool_)]


def all_operations(program):
    """Those of tests/operations, which the program lists whole, and those of questions_extremes.py, whose names it lists."""
    lines = [line.split("\t") for line in subprocess.run([program, "--list"], capture_output=True, check=True, text=True).stdout.splitlines()]
    operations = questions_listed.listed(line for line in lines if len(line) > 1) + questions_extremes.OPERATIONS
    if missing := {line[0] for line in lines} ^ {o.name for o in operations}:
        sys.exit(f"asked and not answered, or answered and not asked: {sorted(missing)}")
    return operations


def wanted(question, i):
    return question.inputs[i].dtype in (np.float32, np.float64) and i not in question.constant


def encoded(name, question):
    parts = [struct.pack("<I", len(name)), name.encode(), struct.pack("<I", len(question.numbers)),
             np.array(question.numbers, np.float64).tobytes(), struct.pack("<I", len(question.inputs))]
    for i, x in enumerate(question.inputs):
        parts += [bytes([DTYPES.index(x.dtype), wanted(question, i), x.ndim]), np.array(x.shape, np.int64).tobytes(), x.tobytes()]
    return b"".join(parts)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def length(self):
        return struct.unpack("<I", self.take(4))[0]

    def tensors(self):
        found = []
        for _ in range(self.length()):
            dtype, dim = self.take(2)
            shape = np.frombuffer(self.take(8 * dim), np.int64)
            count = int(np.prod(shape, dtype=np.int64))
            found.append(np.frombuffer(self.take(count * DTYPES[dtype].itemsize), DTYPES[dtype]).reshape(shape))
        return found

    def answer(self):
        if self.take(1)[0] == 0:
            return self.take(self.length()).decode()
        return self.tensors(), self.tensors()


def expected(question):
    """PyTorch's results and gradients; None for a gradient that it does not have."""
    xs = [torch.from_numpy(x.copy()) for x in question.inputs]
    grads = [x.requires_grad_() for i, x in enumerate(xs) if wanted(question, i)]
    results = question.f(xs)
    results = results if isinstance(results, list) else [results]
    floating = [y for y in results if y.is_floating_point()]
    if grads:
        loss = sum((y * torch.from_numpy(weights(y.shape)).to(y.dtype)).sum() for y in floating)
        if isinstance(loss, torch.Tensor) and loss.requires_grad:
            loss.backward()
    return ([y.detach().numpy() for y in results],
            [np.zeros_like(x.detach().numpy()) if x.grad is None else x.grad.numpy() for x in grads])


def scale(theirs, relative):
    """What the tolerance is multiplied by."""
    if not relative:
        return np.maximum(1, np.abs(theirs))
    held = np.abs(theirs[np.isfinite(theirs)])
    return held.max(initial=0) + 4 * np.finfo(theirs.dtype).smallest_subnormal / TOLERANCES[theirs.dtype]


def difference(ours, theirs, signs, excused, relative=False):
    """Where the two are not the same, in words; None when they are."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.dtype}{list(ours.shape)} and not {theirs.dtype}{list(theirs.shape)}"
    if ours.dtype not in TOLERANCES:
        return None if np.array_equal(ours, theirs) or any(excused) else f"{ours.tolist()} and not {theirs.tolist()}"
    with np.errstate(all="ignore"):
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        if signs:
            same &= ~((ours == 0) & (theirs == 0) & (np.signbit(ours) != np.signbit(theirs)))
        finite = np.isfinite(ours) & np.isfinite(theirs)
        small = np.abs(ours - theirs) <= TOLERANCES[ours.dtype] * scale(theirs, relative)
        near = finite & small & ~((ours == 0) & (theirs == 0))
    for where in excused:
        near = near | where
    wrong = np.atleast_1d(~(same | near))
    if not np.any(wrong):
        return None
    ours, theirs = np.broadcast_to(ours, wrong.shape), np.broadcast_to(theirs, wrong.shape)
    at = tuple(int(i[0]) for i in np.nonzero(wrong))
    return f"{ours[at]!r} and not {theirs[at]!r} at {list(at)}"


def grid(operation, dtype):
    """The operation at every pair of edge values."""
    question = operation.ask(Draw(1))
    axes = np.meshgrid(*[EDGES] * operation.grid, indexing="ij")
    with np.errstate(over="ignore"):
        question.inputs = [np.ascontiguousarray(x).reshape(-1).astype(dtype) for x in axes]
    return question


def label(operation):
    return f"{operation.name}, {operation.form}" if operation.form else operation.name


def cases(operation):
    seed = zlib.crc32(label(operation).encode())
    for k in range(SHAPES):
        yield False, operation.ask(Draw([seed, k]))
    if not operation.edges:
        return
    for k in range(EDGE_CASES):
        yield True, operation.ask(Draw([seed, k, 1], edges=True))
    if operation.grid:
        yield True, grid(operation, np.float64)
        yield True, grid(operation, np.float32)


def compare(operation, edge, question, answer):
    if isinstance(answer, str):
        return "refused: " + answer
    results, gradients = expected(question)
    for what, ours, theirs in [("value", answer[0], results), ("gradient", answer[1], gradients)]:
        if len(ours) != len(theirs):
            return f"{len(ours)} {what}s and not {len(theirs)}"
        for i, (o, t) in enumerate(zip(ours, theirs)):
            kind = "index" if o.dtype == np.int64 else what
            excuses = [e for e in operation.excuses if edge and e.what == kind]
            excused = [e.where(question.inputs, o, t) for e in excuses]
            if text := difference(o, t, edge and what == "value", excused, operation.relative):
                return f"{what} {i}: {text}"
    return None


def main(program, names):
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
    bad = 0
    chosen = [o for o in all_operations(program) if not names or o.name in names]
    for operation in chosen:
        asked = list(cases(operation))
        run = subprocess.run([program], input=b"".join(encoded(operation.name, q) for _, q in asked), capture_output=True, check=False)
        if run.returncode != 0:
            sys.exit(f"{label(operation)}: {program} ended with {run.returncode}: {run.stderr.decode()}")
        reader, wrong = Reader(run.stdout), []
        for edge, question in asked:
            if text := compare(operation, edge, question, reader.answer()):
                wrong.append((edge, question, text))
        assert reader.at == len(run.stdout), operation.name
        if wrong:
            edge, question, text = min(wrong, key=lambda w: sum(x.size for x in w[1].inputs))
            few = sum(x.size for x in question.inputs) < 30
            inputs = [x.tolist() if few else x.shape for x in question.inputs]
            print(f"{label(operation)}: {len(wrong)} of {len(asked)}, {'edge values, ' if edge else ''}{text}; "
                  f"numbers {question.numbers}, inputs {inputs}")
            bad += 1
    print(f"{len(chosen)} operations compared with PyTorch {torch.__version__}, {bad} differ")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
