"""The libraries, for optimizers.py: start(w0) gives step(w, g, t) -> w, in double precision (DyNet in single)."""
import os
from importlib.metadata import version
from unittest.mock import patch

os.environ.update(KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")

import dynet
import jax
import keras
import mlx.core as mx
import mlx.optimizers
import numpy as np
import optax
import torch

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)  # or NAdam keeps its product of momenta in f32
keras.config.set_floatx("float64")      # or Keras keeps the learning rate in f32, even for f64 variables
mx.set_default_device(mx.cpu)           # MLX has f64 on the CPU only

OPTAX, TORCH, JAX, KERAS, MLX, DYNET = (f"{name} {version(name)}" for name in "optax torch jax keras mlx dyNET38".split())


def torch_step(cls, **options):
    def start(w0):
        w = torch.nn.Parameter(torch.tensor(w0))
        optimizer = cls([w], **options)
        def step(w_now, g, t):
            w.data, w.grad = torch.tensor(w_now), torch.tensor(g)
            with patch.object(torch, "bfloat16", torch.float64):     # in which Muon multiplies its matrices
                optimizer.step(lambda: torch.zeros(()))      # L-BFGS wants a loss; the gradient is there
            return w.detach().numpy().copy()
        return step
    return start


def optax_step(transformation):
    def start(w0):
        state = transformation.init(jax.numpy.asarray(w0))
        def step(w, g, t):
            nonlocal state
            w = jax.numpy.asarray(w)
            updates, state = transformation.update(jax.numpy.asarray(g), state, w)
            return np.asarray(optax.apply_updates(w, updates))
        return step
    return start


def keras_step(make):
    def start(w0):
        optimizer, w = make(), keras.Variable(w0, dtype="float64")
        def step(w_now, g, t):
            w.assign(w_now)
            optimizer.apply([jax.numpy.asarray(g)], [w])
            return np.asarray(w.value)
        return step
    return start


def mlx_step(lr):
    def array(x):                        # a bare Python float or NumPy f64 array would become f32
        return mx.array(x, dtype=mx.float64)
    def start(w0):
        optimizer = mlx.optimizers.Adagrad(array(lr))
        def step(w, g, t):
            return np.array(optimizer.apply_gradients({"w": array(g)}, {"w": array(w)})["w"])
        return step
    return start


def dynet_step(lr):                      # DyNet computes in f32: a check of the rule, not a source of digits
    def start(w0):
        model = dynet.ParameterCollection()
        w = model.add_parameters((len(w0),))
        trainer = dynet.AdagradTrainer(model, lr)
        trainer.set_clip_threshold(-1)       # it clips the gradient's norm to 5 unless told not to
        def step(w_now, g, t):
            w.set_value(w_now)
            dynet.renew_cg()
            dynet.dot_product(w, dynet.inputTensor(g)).backward()
            trainer.update()
            return w.as_array()
        step.alive = model                   # the trainer does not hold it
        return step
    return start
