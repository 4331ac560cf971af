"""The libraries, for optimizers.py: start(w0) gives step(w, g, t) -> w, in double precision (DyNet in single).

A library is imported when a case that asks it is computed: `optax.adam(1e-3)` is written down until then (class Later).
"""
import os
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from unittest.mock import patch

import numpy as np

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")

PACKAGES = dict(torch="torch", jax="jax", optax="optax", keras="keras", mlx="mlx", dynet="dyNET38")     # of pip
loaded = set()


class Later:
    """What a library will give: its names, and what is made by calling them."""
    def __init__(self, make):
        self._make = make

    def __getattr__(self, name):
        return Later(lambda: getattr(now(self), name))

    def __call__(self, *args, **options):
        return Later(lambda: now(self)(*map(now, args), **{k: now(v) for k, v in options.items()}))


def now(thing):
    return thing._make() if isinstance(thing, Later) else thing


def library(name):
    def load():
        first = name not in loaded
        if first and name in ("optax", "keras"):
            now(jax)
        module = import_module(name)
        if first:
            loaded.add(name)
            set_up(name, module)
        return module
    return Later(load)


def set_up(name, module):
    if name == "jax":
        module.config.update("jax_enable_x64", True)
    if name == "optax":
        import_module("optax.contrib")
    if name == "torch":
        module.set_default_dtype(module.float64)  # or NAdam keeps its product of momenta in f32
    if name == "keras":
        module.config.set_floatx("float64")       # or Keras keeps the learning rate in f32, even for f64 variables
    if name == "mlx":
        mx = import_module("mlx.core")
        import_module("mlx.optimizers")
        mx.set_default_device(mx.cpu)             # MLX has f64 on the CPU only


def title(name):
    try:
        return f"{PACKAGES[name]} {version(PACKAGES[name])}"
    except PackageNotFoundError:
        return f"{PACKAGES[name]} (not installed)"


jax, optax, torch, keras, mlx, dynet = map(library, ("jax", "optax", "torch", "keras", "mlx", "dynet"))
OPTAX, TORCH, JAX, KERAS, MLX, DYNET = map(title, ("optax", "torch", "jax", "keras", "mlx", "dynet"))


def torch_step(cls, **options):
    def start(w0):
        th = now(torch)
        w = th.nn.Parameter(th.tensor(w0))
        optimizer = now(cls)([w], **options)
        def step(w_now, g, t):
            w.data, w.grad = th.tensor(w_now), th.tensor(g)
            with patch.object(th, "bfloat16", th.float64):           # in which Muon multiplies its matrices
                optimizer.step(lambda: th.zeros(()))      # L-BFGS wants a loss; the gradient is there
            return w.detach().numpy().copy()
        return step
    return start


def optax_step(transformation):
    def start(w0):
        ox, jnp, made = now(optax), now(jax.numpy), now(transformation)
        state = made.init(jnp.asarray(w0))
        def step(w, g, t):
            nonlocal state
            w = jnp.asarray(w)
            updates, state = made.update(jnp.asarray(g), state, w)
            return np.asarray(ox.apply_updates(w, updates))
        return step
    return start


def keras_step(make):
    def start(w0):
        optimizer, w = now(make()), now(keras).Variable(w0, dtype="float64")
        def step(w_now, g, t):
            w.assign(w_now)
            optimizer.apply([now(jax.numpy).asarray(g)], [w])
            return np.asarray(w.value)
        return step
    return start


def mlx_step(lr):
    def array(x):                        # a bare Python float or NumPy f64 array would become f32
        mx = now(mlx.core)
        return mx.array(x, dtype=mx.float64)
    def start(w0):
        optimizer = now(mlx.optimizers.Adagrad)(array(lr))
        def step(w, g, t):
            return np.array(optimizer.apply_gradients({"w": array(g)}, {"w": array(w)})["w"])
        return step
    return start


def dynet_step(lr):                      # DyNet computes in f32: a check of the rule, not a source of digits
    def start(w0):
        dy = now(dynet)
        model = dy.ParameterCollection()
        w = model.add_parameters((len(w0),))
        trainer = dy.AdagradTrainer(model, lr)
        trainer.set_clip_threshold(-1)       # it clips the gradient's norm to 5 unless told not to
        def step(w_now, g, t):
            w.set_value(w_now)
            dy.renew_cg()
            dy.dot_product(w, dy.inputTensor(g)).backward()
            trainer.update()
            return w.as_array()
        step.alive = model                   # the trainer does not hold it
        return step
    return start
