"""Trajectories of torch.optim.SparseAdam for tests/optim/sparse_adam_test.cpp: python3 sparse_adam.py > sparse_adam.txt

Restates torch/optim/_functional.py, sparse_adam(), line by line with 60 digits. With PyTorch installed it compares with that, too.
"""
from decimal import Decimal, getcontext
import sys

getcontext().prec = 60
ROWS, COLUMNS, STEPS = 6, 2, 60
CASES = [("1e-3", "0.9", "0.999", "1e-8"), ("0.1", "0.8", "0.95", "1e-3"), ("0.05", "0", "0", "0.01")]


def looks(t):
    """Rows of step t, now and then one twice; none at all in step 10; the last one never."""
    return [] if t == 10 else [t % 5, t * t % 5]


def slope(w, t, number):
    """The gradient of each look: d/dw of (k + 1)/2*(w - 0.3*(j + 1))^2 for the k-th and column j."""
    return [[(w[row][j] - number(3 * (j + 1)) / 10) * (k + 1) for j in range(COLUMNS)] for k, row in enumerate(looks(t))]


def start(number):
    return [[number(i * 2 + j - 5) / 8 for j in range(COLUMNS)] for i in range(ROWS)]


def restated(lr, beta1, beta2, eps):
    lr, beta1, beta2, eps = map(Decimal, (lr, beta1, beta2, eps))
    w, zero = start(Decimal), Decimal(0)
    exp_avg, exp_avg_sq = ([[zero] * COLUMNS for _ in w] for _ in range(2))
    for t in range(1, STEPS + 1):
        grad = {}
        for row, values in zip(looks(t), slope(w, t, Decimal)):  # coalesce()
            grad[row] = [a + b for a, b in zip(grad.get(row, [zero] * COLUMNS), values)]
        for row, values in grad.items():
            for j, g in enumerate(values):
                exp_avg_update = (g - exp_avg[row][j]) * (1 - beta1)
                exp_avg_sq_update = (g * g - exp_avg_sq[row][j]) * (1 - beta2)
                numer = exp_avg_update + exp_avg[row][j]
                exp_avg[row][j] = numer
                exp_avg_sq[row][j] += exp_avg_sq_update
                denom = exp_avg_sq[row][j].sqrt() + eps
                step_size = lr * (1 - beta2 ** t).sqrt() / (1 - beta1 ** t)
                w[row][j] -= step_size * numer / denom
        if t in (1, 2, 3, 10, STEPS):
            yield t, [float(x) for row in w for x in row]


def by_torch(lr, beta1, beta2, eps):
    import torch
    w = torch.nn.Parameter(torch.tensor(start(float), dtype=torch.float64))
    optimizer = torch.optim.SparseAdam([w], lr=float(lr), betas=(float(beta1), float(beta2)), eps=float(eps))
    for t in range(1, STEPS + 1):
        values = torch.tensor(slope(w.tolist(), t, float), dtype=torch.float64).reshape(len(looks(t)), COLUMNS)
        w.grad = torch.sparse_coo_tensor(torch.tensor([looks(t)], dtype=torch.int64), values, (ROWS, COLUMNS))
        optimizer.step()
        if t in (1, 2, 3, 10, STEPS):
            yield t, w.detach().flatten().tolist()


for case in CASES:
    print("case", *case)
    for t, w in restated(*case):
        print("w", t, *map(repr, w))
    try:
        for (t, mine), (_, theirs) in zip(restated(*case), by_torch(*case)):
            assert all(abs(a - b) <= 1e-12 for a, b in zip(mine, theirs)), (case, t, mine, theirs)
    except ImportError:
        print("not compared with PyTorch, which is not installed", file=sys.stderr)
