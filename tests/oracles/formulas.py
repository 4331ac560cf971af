"""The methods as their headers in optim/ state them, for optimizers.py: plain NumPy, in double and in extended precision.

Those of optim/contrib stand in a file of their own in contrib/, with their cases and numbers.
"""
from importlib import import_module
from pathlib import Path

import numpy as np

CONTRIB = {file.stem: import_module(f"contrib.{file.stem}") for file in sorted((Path(__file__).parent / "contrib").glob("*.py"))}

DEFAULTS = {                 # Capstan's option names, order and defaults
    "sgd": dict(lr=1e-3, momentum=0, dampening=0, nesterov=False, weight_decay=0),
    "adagrad": dict(lr=1e-2, eps=1e-10, eps_inside_root=False, initial_accumulator=0, lr_decay=0, weight_decay=0),
    "rmsprop": dict(lr=1e-2, alpha=0.99, eps=1e-8, eps_inside_root=False, weight_decay=0, momentum=0, centered=False),
    "adadelta": dict(lr=1, rho=0.9, eps=1e-6, weight_decay=0),
    "adam": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, amsgrad=False),
    "adamw": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=1e-2, amsgrad=False),
    "adamax": dict(lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0),
    "nadam": dict(lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, momentum_decay=4e-3, decoupled_weight_decay=False),
    "radam": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, decoupled_weight_decay=False),
    "adabelief": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-16, eps_root=1e-16, weight_decay=0),
    "yogi": dict(lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3, initial_accumulator=1e-6, weight_decay=0),
    "lion": dict(lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=1e-3),
    "signum": dict(lr=1e-3, momentum=0.9, weight_decay=0),
    "rprop": dict(lr=1e-2, etaminus=0.5, etaplus=1.2, step_size_min=1e-6, step_size_max=50),
    "ftrl": dict(lr=0.1, beta=1, l1=0, l2=0, initial_accumulator=0),
    "lamb": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0),
    "lars": dict(lr=0.1, weight_decay=0, trust_coefficient=1e-3, eps=0, momentum=0.9, nesterov=False),
    "adafactor": dict(lr=1e-2, beta2_decay=-0.8, eps1=0, eps2=1e-3, d=1, weight_decay=0),
    "muon": dict(lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, a=3.4445, b=-4.7750, c=2.0315, eps=1e-7, ns_steps=5,
                 match_rms_adamw=False),
    "rowwise_adagrad": dict(lr=1e-2, eps=1e-10, initial_accumulator=0, weight_decay=0),
    "full_matrix_adagrad": dict(lr=1e-2, eps=1e-10, weight_decay=0),
    "schedule_free_adamw": dict(lr=2.5e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, weight_lr_power=2),
    "lbfgs": dict(lr=1, max_iter=20, max_eval=0, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=10),
}
DEFAULTS |= {name: method.DEFAULTS for name, method in CONTRIB.items()}
OWN_DECAY = {"lamb", "adafactor", "schedule_free_adamw"} | {name for name, method in CONTRIB.items() if method.OWN_DECAY}
DECOUPLED = {"adamw", "lion", "muon"}          # the others where the option decoupled_weight_decay says so


def restated(method, options, T):
    """The formulas as step(w, g, t) -> w, in T: np.float64 or np.longdouble."""
    o = {k: v if isinstance(v, bool) else T(v) for k, v in options.items()}
    state = {}

    def average(name, x, beta, start=0):
        state[name] = beta * state.get(name, T(start)) + (1 - beta) * x
        return state[name]

    def corrected(x, beta, t):
        return x / (1 - beta ** t)

    def root(s):
        return np.sqrt(s + o["eps"]) if o.get("eps_inside_root") else np.sqrt(s) + o["eps"]

    def sgd(w, g, t):
        if o["momentum"] != 0:
            old = state.get("v")     # the first step takes the gradient whole: dampening starts with the second
            state["v"] = g if old is None else o["momentum"] * old + (1 - o["dampening"]) * g
            g = g + o["momentum"] * state["v"] if o["nesterov"] else state["v"]
        return w - o["lr"] * g

    def adagrad(w, g, t):
        s = state["s"] = state.get("s", o["initial_accumulator"]) + g * g
        return w - o["lr"] / (1 + (t - 1) * o["lr_decay"]) * (g / root(s))

    def rmsprop(w, g, t):
        s = state["s"] = o["alpha"] * state.get("s", 0) + (1 - o["alpha"]) * g * g
        m = state["m"] = o["alpha"] * state.get("m", 0) + (1 - o["alpha"]) * g
        v = state["v"] = o["momentum"] * state.get("v", 0) + g / root(s - m * m if o["centered"] else s)
        return w - o["lr"] * v

    def adadelta(w, g, t):
        v = average("v", g * g, o["rho"])
        d = np.sqrt(state.get("a", T(0)) + o["eps"]) / np.sqrt(v + o["eps"]) * g
        average("a", d * d, o["rho"])
        return w - o["lr"] * d

    def adam(w, g, t):
        m, v = average("m", g, o["beta1"]), average("v", g * g, o["beta2"])
        if o["amsgrad"]:
            v = state["u"] = np.maximum(state.get("u", T(0)), v)
        return w - o["lr"] * corrected(m, o["beta1"], t) / root(corrected(v, o["beta2"], t))

    def adamax(w, g, t):
        m = average("m", g, o["beta1"])
        u = state["u"] = np.maximum(o["beta2"] * state.get("u", T(0)), np.abs(g) + o["eps"])
        return w - o["lr"] * corrected(m, o["beta1"], t) / u

    def nadam(w, g, t):
        mu, after = (o["beta1"] * (1 - T(0.96) ** (s * o["momentum_decay"]) / 2) for s in (t, t + 1))
        product = state["product"] = state.get("product", T(1)) * mu
        m, v = average("m", g, o["beta1"]), average("v", g * g, o["beta2"])
        ahead = (1 - mu) / (1 - product) * g + after / (1 - product * after) * m
        return w - o["lr"] * ahead / root(corrected(v, o["beta2"], t))

    def radam(w, g, t):
        m, v = corrected(average("m", g, o["beta1"]), o["beta1"], t), average("v", g * g, o["beta2"])
        most = 2 / (1 - o["beta2"]) - 1
        r = most - 2 * t * o["beta2"] ** t / (1 - o["beta2"] ** t)
        if r <= 5:
            return w - o["lr"] * m
        caution = np.sqrt((r - 4) * (r - 2) * most / ((most - 4) * (most - 2) * r))
        return w - o["lr"] * m * caution * np.sqrt(1 - o["beta2"] ** t) / root(v)

    def adabelief(w, g, t):
        m = average("m", g, o["beta1"])
        s = state["s"] = average("s", (g - m) ** 2, o["beta2"]) + o["eps_root"]
        return w - o["lr"] * corrected(m, o["beta1"], t) / root(corrected(s, o["beta2"], t))

    def yogi(w, g, t):
        m, v = average("m", g, o["beta1"], o["initial_accumulator"]), state.get("v", o["initial_accumulator"])
        v = state["v"] = v - (1 - o["beta2"]) * np.sign(v - g * g) * g * g
        return w - o["lr"] * corrected(m, o["beta1"], t) / root(corrected(v, o["beta2"], t))

    def lion(w, g, t):
        step = np.sign(o["beta1"] * state.get("m", T(0)) + (1 - o["beta1"]) * g)
        average("m", g, o["beta2"])
        return w - o["lr"] * step

    def signum(w, g, t):
        return w - o["lr"] * np.sign(average("m", g, o["momentum"]))

    def rprop(w, g, t):
        turn = np.sign(g) * np.sign(state.get("g", T(0)))
        h = state.get("h", o["lr"]) * np.where(turn > 0, o["etaplus"], np.where(turn < 0, o["etaminus"], T(1)))
        h = state["h"] = np.clip(h, o["step_size_min"], o["step_size_max"])
        g = state["g"] = np.where(turn < 0, T(0), g)
        return w - h * np.sign(g)

    def ftrl(w, g, t):     # the paper's z, where the header multiplies it by lr
        n = state.get("n", o["initial_accumulator"])
        z = state.get("z", -(o["beta"] + np.sqrt(n)) / o["lr"] * w)
        grown = state["n"] = n + g * g
        z = state["z"] = z + g - (np.sqrt(grown) - np.sqrt(n)) / o["lr"] * w
        w = -(z - np.sign(z) * o["l1"]) / ((o["beta"] + np.sqrt(grown)) / o["lr"] + o["l2"])
        return np.where(np.abs(z) <= o["l1"], T(0), w)

    def norm(x):
        return np.sqrt(np.sum(x * x))

    def lamb(w, g, t):
        m, v = average("m", g, o["beta1"]), average("v", g * g, o["beta2"])
        u = corrected(m, o["beta1"], t) / root(corrected(v, o["beta2"], t)) + o["weight_decay"] * w
        return w - o["lr"] * norm(w) / norm(u) * u

    def lars(w, g, t):
        u = o["lr"] * o["trust_coefficient"] * norm(w) / (norm(g) + o["eps"]) * g
        m = state["m"] = o["momentum"] * state.get("m", T(0)) + u
        return w - (u + o["momentum"] * m if o["nesterov"] else m)

    def adafactor(w, g, t):
        b, eps1 = T(t) ** o["beta2_decay"], o["eps1"] or T(2) ** -52       # a double's rounding unit
        if g.ndim > 1:
            r, c = (average(n, np.mean(g * g, axis, keepdims=True), 1 - b) for n, axis in (("r", -1), ("c", -2)))
            v = r * c / np.maximum(np.mean(r, -2, keepdims=True), eps1)
        else:
            v = average("v", g * g, 1 - b)
        u = g / np.sqrt(np.maximum(v, eps1 ** 2))
        size, length = (norm(x) / np.sqrt(T(x.size)) for x in (w, u))
        alpha = min(o["lr"], 1 / np.sqrt(T(t))) * max(o["eps2"], size) / max(T(1), length / o["d"])
        return w - o["lr"] * o["weight_decay"] * w - alpha * u

    def muon(w, g, t):
        m = average("m", g, o["momentum"])
        x = (1 - o["momentum"]) * g + o["momentum"] * m if o["nesterov"] else m
        x = x / max(norm(x), o["eps"])
        for _ in range(int(o["ns_steps"])):      # X (a + b X'X + c (X'X)^2), also where the header writes XX'
            gram = x.T @ x
            x = x @ (o["a"] * np.eye(len(gram)) + o["b"] * gram + o["c"] * gram @ gram)
        n, k = (T(size) for size in w.shape)
        return w - o["lr"] * (T(0.2) * np.sqrt(max(n, k)) if o["match_rms_adamw"] else np.sqrt(max(T(1), n / k))) * x

    def rowwise_adagrad(w, g, t):
        s = state["s"] = state.get("s", o["initial_accumulator"]) + np.mean(g * g, -1, keepdims=True)
        return w - o["lr"] * g / root(s)

    def full_matrix_adagrad(w, g, t):
        x = g.reshape(-1)
        s = state["s"] = state.get("s", T(0)) + np.outer(x, x)
        if T is np.longdouble:                   # of which NumPy knows no eigenvectors
            import mpmath    # for this method alone
            with mpmath.workdps(40):
                values, q = mpmath.eigsy(mpmath.matrix([[mpmath.mpf(str(v)) for v in row] for row in s]))
                values, q = (np.array([T(str(v)) for v in a]).reshape(shape) for a, shape in ((values, len(x)), (q, s.shape)))
        else:
            values, q = np.linalg.eigh(s)
        along = q.T @ x
        kept = values > len(x) * np.finfo(np.float64).eps * max(values)
        return w - o["lr"] * (q[:, kept] @ (along[kept] / (np.sqrt(values[kept]) + o["eps"]))).reshape(w.shape)

    def schedule_free_adamw(w, g, t):            # by x, which the header eliminates
        v, z = average("v", g * g, o["beta2"]), state.get("z", w)
        u = g / root(corrected(v, o["beta2"], t)) + o["weight_decay"] * w
        weight = o["lr"] ** o["weight_lr_power"]
        total = state["total"] = state.get("total", T(0)) + weight
        x = (w - (1 - o["beta1"]) * z) / o["beta1"]
        z = state["z"] = z - o["lr"] * u
        x = (1 - weight / total) * x + weight / total * z
        return o["beta1"] * x + (1 - o["beta1"]) * z

    def lbfgs(w, g, t):                          # with the matrix H itself, where the header has two loops
        x = g.reshape(-1)
        first, pairs = "g" not in state, state.setdefault("pairs", [])
        if not first:
            y = x - state["g"]
            if y @ state["s"] > 1e-10:
                pairs.append((y, state["s"]))
                del pairs[:-int(o["history_size"])]
        state["g"], state["s"], one = x, x * 0, np.eye(len(x), dtype=T)
        h = one * (pairs[-1][0] @ pairs[-1][1] / (pairs[-1][0] @ pairs[-1][0]) if pairs else T(1))
        for y, s in pairs:
            left = one - np.outer(s, y) / (y @ s)
            h = left @ h @ left.T + np.outer(s, s) / (y @ s)
        d = -h @ x
        if np.max(np.abs(x)) <= o["tolerance_grad"] or x @ d > -o["tolerance_change"]:
            return w
        state["s"] = d * o["lr"] * (min(T(1), 1 / np.sum(np.abs(x))) if first else 1)
        return w + state["s"].reshape(w.shape)

    rule = CONTRIB[method].start(o, T) if method in CONTRIB else locals()["adam" if method == "adamw" else method]
    decay = o.get("weight_decay", T(0))
    if method in DECOUPLED or o.get("decoupled_weight_decay"):
        return lambda w, g, t: rule(w - o["lr"] * decay * w, g, t)
    if method in OWN_DECAY:
        return rule
    return lambda w, g, t: rule(w, g + decay * w, t)
