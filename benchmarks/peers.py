"""Capstan beside PyTorch and JAX on the same work, one thread, in one run: `./run peers`.

Nine rounds, in each of which every program takes its turn; a figure is the median over the rounds of the fastest repetition in
each. PyTorch is measured in Python, eager with its fused Adagrad, and by its C++ frontend with that and with the fused kernel
(peers/libtorch.cpp); JAX with jax.jit and Optax, parameters donated, a call for each step and one lax.scan over many. Of a
rival's ways the fastest counts. Prints the tables and writes them: all to benchmarks/RESULTS.md, with that of `./run bench`,
and the best of each rival into README.md.

    python benchmarks/peers.py build/release/benchmarks/bench build/peers/libtorch [--rounds=N: fewer than nine write nothing]
"""
import os

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import functools
import math
import pathlib
import re
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
WAYS = {  # of each rival, with what README calls it
    "PyTorch": {"torch": "Python", "torch c++": "C++", "torch c++ fused": "C++, fused"},
    "JAX": {"jax": "jit", "jax scan": "scan"},
}
# title, sizes (in, hidden ..., out), batch, the name of our loop
MLPS = [
    ("linear 5 -> 1, batch 10", (5, 1), 10, "linear/f32"),
    ("MLP 13-32-1, batch 64", (13, 32, 1), 64, "mlp/13-32-1"),
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


def jax_rule(loss):
    """(w, state), (x, y) -> (w, state) after a step."""
    rule = optax.adagrad(0.01)

    def step(now, batch):
        w, state = now
        _, g = jax.value_and_grad(loss)(w, *batch)
        updates, state = rule.update(g, state, w)
        return optax.apply_updates(w, updates), state

    return rule.init, step


def jax_calls(init, step, parameters, batches):
    """A call of jax.jit for a step on the first batch, and one for a lax.scan over all."""
    one = jax.jit(step, donate_argnums=0)
    many = jax.jit(lambda now, batches: jax.lax.scan(lambda now, batch: (step(now, batch), 0.0), now, batches)[0], donate_argnums=0)

    def caller(function, data):
        w = jax.tree.map(jnp.array, parameters)  # its own, since they are donated
        now = [(w, init(w))]

        def call():
            now[0] = function(now[0], data)
            jax.block_until_ready(now[0])

        return call

    count = len(jax.tree.leaves(batches)[0])
    return {"jax": (caller(one, jax.tree.map(lambda b: b[0], batches)), 1), "jax scan": (caller(many, batches), count)}


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

    count = max(4, min(150, 4_000_000 // (batch * sizes[0])))  # batches of 16 MB at most, and 150 as our linear regression has
    x, y = data(sizes, batch * count)
    batches = jnp.array(x.reshape(count, batch, -1)), jnp.array(y.reshape((count, batch) + y.shape[1:]))
    return jax_calls(*jax_rule(loss), parameters, batches)


def torch_adagrad(n):
    w = torch.full((n,), 0.5, requires_grad=True)
    w.grad = torch.full((n,), 0.01)
    return torch.optim.Adagrad([w], lr=0.01, fused=True).step


def jax_adagrad(n):
    rule = optax.adagrad(0.01)

    def step(now, g):
        updates, state = rule.update(g, now[1], now[0])
        return optax.apply_updates(now[0], updates), state

    g, count = jnp.full(n, 0.01), max(4, min(150, 4_000_000 // n))
    one = jax.jit(step, donate_argnums=0)
    many = jax.jit(lambda now, g: jax.lax.scan(lambda now, _: (step(now, g), 0.0), now, length=count)[0], donate_argnums=0)

    def caller(function):
        w = jnp.full(n, 0.5)
        now = [(w, rule.init(w))]

        def call():
            now[0] = function(now[0], g)
            jax.block_until_ready(now[0])

        return call

    return {"jax": (caller(one), 1), "jax scan": (caller(many), count)}


def cases():
    """title, our loop, libtorch's argument, {way: (call, steps in a call)}"""
    for title, sizes, batch, name in MLPS:
        argument = f"mlp:{'-'.join(map(str, sizes))}:{batch}"
        yield title, name, argument, {"torch": (torch_mlp(sizes, batch), 1), **jax_mlp(sizes, batch)}
    for n in (1000, 1000000, 20000000):
        rivals = {"torch": (torch_adagrad(n), 1), **jax_adagrad(n)}
        yield f"Adagrad step, {n} parameters", f"adagrad/{n}/ours", f"adagrad:{n}", rivals
        yield f"Adagrad step, {n} parameters, looking for NaN first", f"adagrad/{n}/look", f"adagrad:{n}", rivals


def ours(bench):
    """Our loops' seconds a step in one round, by name."""
    output = subprocess.run([bench, "--rounds=1", "--csv"], check=True, capture_output=True, text=True).stdout
    rows = dict(line.rsplit(",", 1) for line in output.splitlines() if line)
    return rows.pop("processor"), {name: float(seconds) for name, seconds in rows.items()}


def libtorch(program, arguments):
    """The C++ frontend's seconds a step in one round, with its optimizer and with the fused kernel, by argument."""
    arguments = list(dict.fromkeys(arguments))
    output = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    return {argument: tuple(map(float, line.split())) for argument, line in zip(arguments, output, strict=True)}


def limits(bench):
    """What `./run bench` prints, as Markdown."""
    head, *rows = subprocess.run([bench], check=True, capture_output=True, text=True).stdout.strip().splitlines()
    rows = [row for row in rows if row.startswith("| ")]
    return [head + "; printed by `./run bench`.", "", rows[0], "|---" * (rows[0].count("|") - 1) + "|", *rows[1:]]


def text_of(seconds):
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def best(median, title, rival):
    """The fastest of a rival's ways, and its seconds."""
    return min(WAYS[rival], key=lambda way: median[title, way]), min(median[title, way] for way in WAYS[rival])


def all_ways(median, titles):
    """The table of RESULTS.md."""
    ways = [way for rival in WAYS.values() for way in rival]
    lines = ["| a step of | Capstan | PyTorch, Python | C++ | C++, fused | JAX, jit | scan | best rival / ours |", "|---" * 8 + "|"]
    for title in titles:
        mine = median[title, "capstan"]
        ratio = min(best(median, title, rival)[1] for rival in WAYS) / mine
        texts = [text_of(median[title, way]) for way in ["capstan", *ways]]
        lines.append(f"| {title} | {' | '.join(texts)} | {'**' if ratio < 1 else ''}{ratio:.2f}x{'**' if ratio < 1 else ''} |")
    return lines


README = [  # what a reader meets most, lost ones too
    "linear 5 -> 1, batch 10",
    "MLP 20-64-64-10, batch 32",
    "MLP 784-1024-1024-10, batch 256",
    "Adagrad step, 1000 parameters, looking for NaN first",
    "Adagrad step, 1000000 parameters, looking for NaN first",
    "Adagrad step, 20000000 parameters, looking for NaN first",
]


def best_ways(median):
    """README's table: the best of each rival."""
    lines = ["| a step of | Capstan | PyTorch, its best | JAX, its best | best rival / ours |", "|---" * 5 + "|"]
    for title in README:
        mine, texts, least = median[title, "capstan"], [], math.inf
        for rival, names in WAYS.items():
            way, seconds = best(median, title, rival)
            texts.append(f"{text_of(seconds)} ({names[way]})")
            least = min(least, seconds)
        lines.append(f"| {title} | {text_of(mine)} | {' | '.join(texts)} | {least / mine:.2f}x |")
    return lines


def put_into_readme(lines):
    path = pathlib.Path(__file__).parent.parent / "README.md"
    text, count = re.subn(r"(<!-- peers -->\n).*?(<!-- /peers -->)", lambda m: m[1] + "\n".join(lines) + "\n" + m[2], path.read_text(), flags=re.S)
    if count != 1:
        raise SystemExit("README.md must hold one table between <!-- peers --> and <!-- /peers -->")
    path.write_text(text)


def main(bench, program, rounds=ROUNDS):
    torch.set_num_threads(1)
    all_cases = list(cases())
    times = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        processor, mine = ours(bench)
        frontend = libtorch(program, [argument for _, _, argument, _ in all_cases])
        taken = {}  # two lines share their rivals
        for title, name, argument, rivals in all_cases:
            times.setdefault((title, "capstan"), []).append(mine[name])
            for way, seconds in zip(("torch c++", "torch c++ fused"), frontend[argument]):
                times.setdefault((title, way), []).append(seconds)
            for way, (call, steps) in rivals.items():
                if (argument, way) not in taken:
                    taken[argument, way] = fastest(call) / steps
                times.setdefault((title, way), []).append(taken[argument, way])
    median = {key: statistics.median(values) for key, values in times.items()}
    titles = [title for title, *_ in all_cases]
    where = f"{processor}; one thread, f32. PyTorch {torch.__version__}, JAX {jax.__version__}, Optax {optax.__version__}."
    table = [
        "# Results",
        "",
        f"{where} Median of {rounds}",
        "interleaved rounds, each with the fastest of five repetitions; written by `./run peers`. The last column: the time of the",
        "faster rival, in its fastest way, as a multiple of ours; below 1 that rival is ahead.",
        "",
        *all_ways(median, titles),
    ]
    print("\n".join(table + ["", *best_ways(median)]))
    if rounds < ROUNDS:
        return
    table += ["", "## Beside hand-written limits", "", *limits(bench)]
    (pathlib.Path(__file__).parent / "RESULTS.md").write_text("\n".join(table) + "\n")
    put_into_readme([where, "", *best_ways(median)])


if __name__ == "__main__":
    flags = [flag for flag in sys.argv[1:] if flag.startswith("--")]
    if not all(re.fullmatch(r"--rounds=[1-9]\d*", flag) for flag in flags):
        raise SystemExit(f"peers: the only flag is --rounds=N: {' '.join(flags)}")
    main(*[word for word in sys.argv[1:] if not word.startswith("--")], *[int(flag[len("--rounds=") :]) for flag in flags])
