"""The libraries, each as step(w, g, t) -> w in double precision (DyNet in single), for optimizers.py."""
import os
from importlib.metadata import version

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
    w = torch.nn.Parameter(torch.zeros(6))
    optimizer = cls([w], **options)
    def step(w_now, g, t):
        w.data, w.grad = torch.tensor(w_now), torch.tensor(g)
        optimizer.step()
        return w.detach().numpy().copy()
    return step


def optax_step(transformation):
    state = transformation.init(jax.numpy.zeros(6))
    def step(w, g, t):
        nonlocal state
        w = jax.numpy.asarray(w)
        updates, state = transformation.update(jax.numpy.asarray(g), state, w)
        return np.asarray(optax.apply_updates(w, updates))
    return step


def keras_step(optimizer):
    w = keras.Variable(np.zeros(6), dtype="float64")
    def step(w_now, g, t):
        w.assign(w_now)
        optimizer.apply([jax.numpy.asarray(g)], [w])
        return np.asarray(w.value)
    return step


def mlx_step(lr):
    def array(x):                        # a bare Python float or NumPy f64 array would become f32
        return mx.array(x, dtype=mx.float64)
    optimizer = mlx.optimizers.Adagrad(array(lr))
    def step(w, g, t):
        return np.array(optimizer.apply_gradients({"w": array(g)}, {"w": array(w)})["w"])
    return step


def dynet_step(lr):                      # DyNet computes in f32: a check of the rule, not a source of digits
    model = dynet.ParameterCollection()
    w = model.add_parameters((6,))
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
