"""Capstan beside PyTorch and JAX on the same work, one thread, in one run: `./run peers`.

Nine rounds, in each of which every program takes its turn; a figure is the median over the rounds of the fastest repetition in
each. Prints the table and writes it, with that of `./run bench`, to benchmarks/RESULTS.md. PyTorch is measured eager with its
fused Adagrad, JAX with jax.jit and Optax, parameters donated; linear regression in JAX is also one jitted lax.scan over the
epoch, of which the faster counts.

    python benchmarks/peers.py build/release/benchmarks/bench
"""
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import functools
import pathlib
import statistics
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch

ROUNDS = 9
REPETITIONS = 5
# title, sizes (in, hidden ..., out), batch, the name of our loop
MLPS = [
    ("MLP 13-32-1, batch 64, mse", (13, 32, 1), 64, "mlp/13-32-1"),
    ("MLP 20-64-64-10, batch 32", (20, 64, 64, 10), 32, "mlp/20-64-64-10"),
    ("MLP 100-300-7, batch 48", (100, 300, 7), 48, "mlp/100-300-7"),
    ("MLP 784-256-256-10, batch 128", (784, 256, 256, 10), 128, "mlp/784-256-256-10"),
    ("MLP 784-1024-1024-10, batch 256", (784, 1024, 1024, 10), 256, "mlp/784-1024-1024-10"),
]


def fastest(call, seconds=0.02):
    """The fastest of some repetitions, each long enough to be measured."""
    start = time.perf_counter()
    call()
    n = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        for _ in range(n):
            call()
        best = min(best, (time.perf_counter() - start) / n)
    return best


def data(sizes, batch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch, sizes[0])).astype(np.float32)
    if sizes[-1] == 1:
        return x, rng.normal(size=(batch, 1)).astype(np.float32)
    return x, np.arange(batch, dtype=np.int64) % sizes[-1]


def torch_mlp(sizes, batch):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.01, fused=True)
    x, y = map(torch.from_numpy, data(sizes, batch))
    loss_of = torch.nn.functional.mse_loss if sizes[-1] == 1 else torch.nn.functional.cross_entropy

    def step():
        optimizer.zero_grad()
        loss_of(model(x), y).backward()
        optimizer.step()

    return step


def jax_step(loss, parameters, x, y):
    rule = optax.adagrad(0.01)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(w, state, x, y):
        _, g = jax.value_and_grad(loss)(w, x, y)
        updates, state = rule.update(g, state, w)
        return optax.apply_updates(w, updates), state

    now = [parameters, rule.init(parameters)]

    def call():
        now[:] = step(*now, x, y)
        jax.block_until_ready(now[0])

    return call


def jax_mlp(sizes, batch):
    keys = jax.random.split(jax.random.PRNGKey(0), len(sizes))
    parameters = [(jax.random.normal(k, (a, b)) / np.sqrt(a), jnp.zeros(b)) for k, a, b in zip(keys, sizes, sizes[1:])]

    def loss(w, x, y):
        for i, (weight, bias) in enumerate(w):
            x = x @ weight + bias
            if i + 1 < len(w):
                x = jax.nn.relu(x)
        if sizes[-1] == 1:
            return jnp.mean((x - y) ** 2)
        return optax.softmax_cross_entropy_with_integer_labels(x, y).mean()

    return jax_step(loss, parameters, *map(jnp.array, data(sizes, batch)))


def linear_loss(w, x, y):
    return jnp.mean((x @ w[0] + w[1] - y) ** 2)


def jax_epoch():
    """One jitted scan over 150 batches."""
    x, y = data((5, 1), 1500)
    batches = jnp.array(x.reshape(150, 10, 5)), jnp.array(y.reshape(150, 10, 1))
    rule = optax.adagrad(0.01)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def epoch(w, state):
        def body(now, batch):
            g = jax.grad(linear_loss)(now[0], *batch)
            updates, after = rule.update(g, now[1], now[0])
            return (optax.apply_updates(now[0], updates), after), 0.0

        return jax.lax.scan(body, (w, state), batches)[0]

    w = (jnp.zeros((5, 1)), jnp.zeros(1))
    now = [w, rule.init(w)]

    def call():
        now[:] = epoch(*now)
        jax.block_until_ready(now[0])

    return call


def torch_adagrad(n):
    w = torch.full((n,), 0.5, requires_grad=True)
    w.grad = torch.full((n,), 0.01)
    return torch.optim.Adagrad([w], lr=0.01, fused=True).step


def jax_adagrad(n):
    rule, g = optax.adagrad(0.01), jnp.full(n, 0.01)
    w = jnp.full(n, 0.5)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(w, state):
        updates, state = rule.update(g, state, w)
        return optax.apply_updates(w, updates), state

    now = [w, rule.init(w)]

    def call():
        now[:] = step(*now)
        jax.block_until_ready(now[0])

    return call


def cases():
    """title, our loop, {rival: (call, steps in a call)}; the rivals are made when their turn comes."""
    x, y = data((5, 1), 10)
    one = jax_step(linear_loss, (jnp.zeros((5, 1)), jnp.zeros(1)), jnp.array(x), jnp.array(y))
    yield "linear 5 -> 1, batch 10", "linear/f32", {"torch": (torch_mlp((5, 1), 10), 1), "jax": (one, 1), "jax scan": (jax_epoch(), 150)}
    for title, sizes, batch, name in MLPS:
        yield title, name, {"torch": (torch_mlp(sizes, batch), 1), "jax": (jax_mlp(sizes, batch), 1)}
    for n in (1000, 1000000, 20000000):
        rivals = {"torch": (torch_adagrad(n), 1), "jax": (jax_adagrad(n), 1)}
        yield f"Adagrad step, {n} parameters", f"adagrad/{n}/ours", rivals
        yield f"Adagrad step, {n} parameters, looking for NaN first", f"adagrad/{n}/look", rivals


def ours(bench):
    """Our loops' seconds a step in one round, by name."""
    output = subprocess.run([bench, "--rounds=1", "--csv"], check=True, capture_output=True, text=True).stdout
    rows = dict(line.rsplit(",", 1) for line in output.splitlines() if line)
    return rows.pop("processor"), {name: float(seconds) for name, seconds in rows.items()}


def limits(bench):
    """What `./run bench` prints, as Markdown."""
    head, *rows = subprocess.run([bench], check=True, capture_output=True, text=True).stdout.strip().splitlines()
    rows = [row for row in rows if row.startswith("| ")]
    return [head + "; printed by `./run bench`.", "", rows[0], "|---" * (rows[0].count("|") - 1) + "|", *rows[1:]]


def text_of(seconds):
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def main(bench):
    torch.set_num_threads(1)
    all_cases = list(cases())
    times = {}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        processor, mine = ours(bench)
        for title, name, rivals in all_cases:
            times.setdefault((title, "capstan"), []).append(mine[name])
            for rival, (call, steps) in rivals.items():
                times.setdefault((title, rival), []).append(fastest(call) / steps)
    median = {key: statistics.median(values) for key, values in times.items()}

    lines = [
        "# Results",
        "",
        f"{processor}; one thread, f32. PyTorch {torch.__version__}, JAX {jax.__version__}, Optax {optax.__version__}. Median of {ROUNDS}",
        "interleaved rounds, each with the fastest of five repetitions; written by `./run peers`. The last column: the time of the",
        "faster rival as a multiple of ours.",
        "",
        "| a step of | Capstan | PyTorch | JAX | rival / ours |",
        "|---|---|---|---|---|",
    ]
    behind = []
    for title, _, rivals in all_cases:
        mine, theirs = median[title, "capstan"], median[title, "torch"]
        jax_time = min(median[title, rival] for rival in rivals if rival != "torch")
        ratio = min(theirs, jax_time) / mine
        lines.append(f"| {title} | {text_of(mine)} | {text_of(theirs)} | {text_of(jax_time)} | {ratio:.2f}x |")
        if ratio < 1.03:
            behind.append(title)
    lines += ["", "## Beside hand-written limits", "", *limits(bench)]
    table = "\n".join(lines) + "\n"
    print(table)
    (pathlib.Path(__file__).parent / "RESULTS.md").write_text(table)
    if behind:
        print("not ahead by 3 %: " + "; ".join(behind))


if __name__ == "__main__":
    main(sys.argv[1])
