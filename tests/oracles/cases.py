"""The trajectories: which options, by which library, checked by which others."""
from libraries import (DYNET, JAX, KERAS, MLX, OPTAX, TORCH, dynet_step, keras, keras_step, mlx_step, optax, optax_step, torch,
                       torch_step)     # which imports a library when it is asked

import numpy as np

from case import A, B, SINGLE, TOLERANCE, Case, method_of
from formulas import CONTRIB, DEFAULTS

D2L = "restated: Dive into Deep Learning,"


def with_torch(name, preset="-", first=False, shape=(6,), **options):
    """PyTorch gets only the options that are given here, the formula all of them: its defaults are checked too."""
    method = method_of(name)
    cls = dict(sgd="SGD", adagrad="Adagrad", rmsprop="RMSprop", adadelta="Adadelta", adam="Adam", adamw="AdamW", adamax="Adamax",
               nadam="NAdam", radam="RAdam", rprop="Rprop", adafactor="Adafactor", muon="Muon")[method]
    theirs = {k + "_value" * (k == "initial_accumulator"): v for k, v in options.items()}
    for key, pair in (("betas", ("beta1", "beta2")), ("etas", ("etaminus", "etaplus")),
                      ("step_sizes", ("step_size_min", "step_size_max")), ("eps", ("eps1", "eps2")),
                      ("ns_coefficients", ("a", "b", "c"))):
        if any(k in theirs for k in pair):
            theirs[key] = tuple(theirs.pop(k, DEFAULTS[method][k]) or None for k in pair)
    if theirs.pop("match_rms_adamw", False):
        theirs["adjust_lr_fn"] = "match_rms_adamw"
    return Case(name, options, f"torch.optim.{cls}, {TORCH}", torch_step(getattr(torch.optim, cls), **theirs), [], preset, first, shape=shape)


def with_optax(name, transformation, preset="-", shape=(6,), **options):
    """Optax, given the options of the case alone; `transformation` is of its own making or a chain of its parts."""
    where = "contrib." if method_of(name) in ("schedule_free_adamw", "prodigy") else ""
    return Case(name, options, f"optax.{where}{method_of(name)}, {OPTAX}, {JAX}", optax_step(transformation), [], preset, shape=shape)


def with_keras_ftrl(name, preset="-", start=None, **options):
    """Keras halves the paper's lambda2. It starts from w = 0, as the paper does, unless beta and the accumulator are 0 too."""
    o = DEFAULTS["ftrl"] | options
    def optimizer():
        return keras.optimizers.Ftrl(
            o["lr"], initial_accumulator_value=o["initial_accumulator"], l1_regularization_strength=o["l1"],
            l2_regularization_strength=o["l2"] / 2, beta=o["beta"])
    return Case(name, options, f"keras.optimizers.Ftrl, {KERAS}, {JAX}", keras_step(optimizer), [], preset, start=start)


def with_lbfgs(name, preset="-", a=None, b=None, **options):
    """One iteration a step and no search: PyTorch's history is longer by default."""
    theirs = dict(max_iter=1, history_size=10) | options
    return Case(name, options, f"torch.optim.LBFGS with max_iter 1, {TORCH}", torch_step(torch.optim.LBFGS, **theirs), preset=preset, a=a, b=b)


def inside(name, options, source, make, **more):
    """Eps inside the root, which PyTorch lacks: the formula's digits, checked by Optax."""
    return Case(name, options | dict(eps_inside_root=True), source, None, [(OPTAX, make, TOLERANCE)], **more)


def optax_adagrad(lr, initial, eps, lr_decay=0, weight_decay=0):
    return optax_step(optax.chain(
        optax.add_decayed_weights(weight_decay), optax.scale_by_rss(initial, eps),
        optax.scale_by_learning_rate(lambda count: lr / (1 + count * lr_decay))))


def optax_rmsprop(lr, alpha, eps, weight_decay=0, **options):
    return optax_step(optax.chain(
        optax.add_decayed_weights(weight_decay), optax.rmsprop(lr, alpha, eps, eps_in_sqrt=True, **options)))


def dialects(suffix, first, lr=0.1):
    """The six Adagrads. The libraries get the rate alone, so that their own defaults are what is checked."""
    more = lambda name: dict(preset=f"{name}({lr})", first=first)
    tenth = dict(lr=lr, eps=1e-7, eps_inside_root=True, initial_accumulator=0.1)
    cases = [
        with_torch(f"adagrad_torch{suffix}", lr=lr, **more("torch")),
        inside(f"adagrad_d2l{suffix}", dict(lr=lr, eps=1e-6), f"{D2L} Adagrad from scratch", optax_adagrad(lr, 0.0, 1e-6), **more("d2l")),
        Case(f"adagrad_optax{suffix}", tenth, f"optax.adagrad, {OPTAX}, {JAX}", optax_step(optax.adagrad(lr)), **more("optax")),
        Case(f"adagrad_keras{suffix}", tenth, f"keras.optimizers.Adagrad, {KERAS}, {JAX}", keras_step(lambda: keras.optimizers.Adagrad(lr)), **more("keras")),
        Case(f"adagrad_mlx{suffix}", dict(lr=lr, eps=1e-8), f"mlx.optimizers.Adagrad, {MLX}", mlx_step(lr), **more("mlx")),
        inside(f"adagrad_dynet{suffix}", dict(lr=lr, eps=1e-20), "restated: DyNet, AdagradTrainer",
               optax_adagrad(lr, 0.0, 1e-20), **more("dynet")),
    ]
    cases[-1].checks.append((f"{DYNET} (in single precision)", dynet_step(lr), SINGLE))
    return cases


def element_cases():
    """The methods of one element beside the first three."""
    l2, chain = optax.add_decayed_weights, optax.chain
    belief = dict(beta1=0.8, beta2=0.99, eps=1e-4, eps_root=1e-6)
    yogi = dict(beta1=0.8, beta2=0.99, eps=1e-2)
    return [
        with_torch("adadelta_default", "default"),
        with_torch("adadelta_rho", rho=0.5),
        with_torch("adadelta_all", lr=0.5, rho=0.95, eps=1e-3, weight_decay=0.05),
        with_torch("adam_default", "default"),
        with_torch("adam_lr", lr=0.1),
        with_torch("adam_betas", lr=0.1, beta1=0.5, beta2=0.9),
        with_torch("adam_amsgrad", lr=0.1, beta2=0.9, amsgrad=True),
        with_torch("adam_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05),
        with_torch("adam_all_amsgrad", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05, amsgrad=True),
        with_torch("adamw_default", "default"),
        with_torch("adamw_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05),
        with_torch("adamw_all_amsgrad", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05, amsgrad=True),
        with_torch("adamw_no_decay", lr=0.1, weight_decay=0),
        with_torch("adamax_default", "default"),
        with_torch("adamax_lr", lr=0.1),
        with_torch("adamax_all", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05),
        with_torch("nadam_default", "default"),
        with_torch("nadam_lr", lr=0.1),
        with_torch("nadam_all", lr=0.1, beta1=0.8, beta2=0.99, eps=1e-3, weight_decay=0.05, momentum_decay=0.1),
        with_torch("nadam_decoupled", lr=0.1, beta1=0.5, weight_decay=0.05, decoupled_weight_decay=True),
        with_torch("radam_default", "default"),
        with_torch("radam_lr", lr=0.1),
        with_torch("radam_all", lr=0.1, beta1=0.8, beta2=0.9, eps=1e-3, weight_decay=0.05),
        with_torch("radam_decoupled", lr=0.1, beta2=0.99, weight_decay=0.05, decoupled_weight_decay=True),
        with_torch("radam_never_adaptive", lr=0.1, beta2=0.6),
        with_optax("adabelief_default", optax.adabelief(1e-3), "default"),
        with_optax("adabelief_lr", optax.adabelief(0.1), lr=0.1),
        with_optax("adabelief_all", chain(l2(0.05), optax.adabelief(0.1, 0.8, 0.99, 1e-4, 1e-6)), lr=0.1, weight_decay=0.05, **belief),
        with_optax("yogi_default", optax.yogi(1e-2), "default"),
        with_optax("yogi_all", chain(l2(0.05), optax.yogi(0.1, 0.8, 0.99, 1e-2)), lr=0.1, weight_decay=0.05, **yogi),
        with_optax("yogi_initial_accumulator", chain(optax.scale_by_yogi(0.8, 0.99, 1e-2, initial_accumulator_value=0.5), optax.scale(-0.1)),
                   lr=0.1, initial_accumulator=0.5, **yogi),
        with_optax("lion_default", optax.lion(1e-4), "default"),
        with_optax("lion_all", optax.lion(0.01, 0.8, 0.9, weight_decay=0.1), lr=0.01, beta1=0.8, beta2=0.9, weight_decay=0.1),
        with_optax("lion_no_decay", optax.lion(0.01, weight_decay=0.0), lr=0.01, weight_decay=0),
        with_optax("signum_default", optax.signum(1e-3), "default"),
        with_optax("signum_all", chain(l2(0.5), optax.signum(0.01, 0.95)), lr=0.01, momentum=0.95, weight_decay=0.5),
        with_optax("signum_plain", chain(l2(0.5), optax.sign_sgd(0.01)), lr=0.01, momentum=0, weight_decay=0.5),
        with_torch("rprop_default", "default"),
        with_torch("rprop_etas", etaminus=0.25, etaplus=1.5),
        with_torch("rprop_all", lr=0.05, etaminus=0.4, etaplus=1.1, step_size_min=0.02, step_size_max=0.1),
        with_keras_ftrl("ftrl_default", "default", start=np.zeros(6)),
        with_keras_ftrl("ftrl_all", lr=0.5, beta=0.5, l1=0.1, l2=0.2, initial_accumulator=0.1, start=np.zeros(6)),
        with_keras_ftrl("ftrl_no_beta", lr=0.5, beta=0, l1=0.3, l2=0.2),
        Case("ftrl_adagrad", dict(lr=0.5, initial_accumulator=0.1), f"torch.optim.Adagrad with eps 1, {TORCH}",
             torch_step(torch.optim.Adagrad, lr=0.5, eps=1, initial_accumulator_value=0.1)),
        Case("ftrl_elsewhere", dict(lr=0.5, l1=0.1, l2=0.2), "restated: McMahan et al. 2013, algorithm 1, z from w", None),
    ]


def whole_cases():
    """The methods of whole tensors."""
    lamb = dict(beta1=0.8, beta2=0.99, eps=1e-3)
    free = dict(beta1=0.8, beta2=0.99, eps=1e-3)
    full = dict(a=np.array([1.0, 0.5, 2.0, 0.7, 1.5, 3.0]), b=np.array([0.5, -1.0, 0.25, 2.0, 0.7, -2.0]), shape=(2, 3))
    mild = dict(a=np.array([1.0, 0.5, 2.0, 0.7, 1.5, 3.0]), b=np.zeros(6))
    rowwise = "restated: Adagrad with the mean square of a row"
    duchi = "restated: Duchi et al. 2011, figure 1"
    return [
        with_optax("lamb_default", optax.lamb(1e-3), "default"),
        with_optax("lamb_all", optax.lamb(0.1, 0.8, 0.99, 1e-3, weight_decay=0.05), lr=0.1, weight_decay=0.05, **lamb),
        with_optax("lamb_matrix", optax.lamb(0.1), shape=(2, 3), lr=0.1),
        with_optax("lars_default", optax.lars(0.1), "default"),
        with_optax("lars_all", optax.lars(1.0, 0.05, trust_coefficient=0.05, eps=0.1, momentum=0.5), lr=1.0, weight_decay=0.05,
                   trust_coefficient=0.05, eps=0.1, momentum=0.5),
        with_optax("lars_nesterov", optax.lars(0.5, trust_coefficient=0.02, nesterov=True), lr=0.5, trust_coefficient=0.02, nesterov=True),
        with_optax("lars_no_momentum", optax.lars(0.5, trust_coefficient=0.02, momentum=0.0), lr=0.5, trust_coefficient=0.02, momentum=0),
        with_torch("adafactor_default", "default"),
        with_torch("adafactor_matrix", shape=(2, 3), lr=0.1),
        with_torch("adafactor_three_axes", shape=(2, 1, 3), lr=0.1),
        with_torch("adafactor_all", lr=0.2, beta2_decay=-0.5, eps1=0.01, eps2=0.1, d=2.0, weight_decay=0.05),
        with_torch("adafactor_all_matrix", shape=(3, 2), lr=0.2, beta2_decay=-0.5, eps1=0.01, eps2=0.1, d=2.0, weight_decay=0.05),
        with_torch("muon_default", "default", shape=(2, 3)),
        with_torch("muon_tall", shape=(3, 2), lr=0.1, weight_decay=0, nesterov=False),
        with_torch("muon_row", shape=(1, 6), lr=0.1),
        with_torch("muon_all", shape=(2, 3), lr=0.1, weight_decay=0.5, momentum=0.8, a=2.0, b=-1.5, c=0.5, eps=0.5, ns_steps=10,
                   match_rms_adamw=True),
        Case("rowwise_adagrad_default", {}, rowwise, None, preset="default", shape=(2, 3)),
        Case("rowwise_adagrad_all", dict(lr=0.1, eps=1e-3, initial_accumulator=0.1, weight_decay=0.05), rowwise, None, shape=(2, 3)),
        Case("rowwise_adagrad_column", dict(lr=0.1), f"torch.optim.Adagrad, {TORCH}", torch_step(torch.optim.Adagrad, lr=0.1), shape=(6, 1)),
        Case("full_matrix_adagrad_eps", dict(lr=0.1, eps=0.5), duchi, None, **full),
        Case("full_matrix_adagrad_all", dict(lr=0.3, eps=1, weight_decay=0.05), duchi, None, **full),
        Case("full_matrix_adagrad_default", {}, f"torch.optim.Adagrad of one coordinate, {TORCH}", torch_step(torch.optim.Adagrad),
             preset="default", a=A * [1, 0, 0, 0, 0, 0], b=B * [1, 0, 0, 0, 0, 0]),
        with_lbfgs("lbfgs_default", "default", **mild),
        with_lbfgs("lbfgs_lr", lr=0.05, **mild),
        with_lbfgs("lbfgs_history_size", lr=0.05, history_size=3, **mild),
        with_lbfgs("lbfgs_tolerance_grad", lr=0.05, tolerance_grad=0.5, **mild),
        with_lbfgs("lbfgs_tolerance_change", lr=0.05, tolerance_change=0.3, **mild),
        with_optax("schedule_free_adamw_default", optax.contrib.schedule_free_adamw(), "default"),
        with_optax("schedule_free_adamw_all", optax.contrib.schedule_free_adamw(0.1, b1=0.8, b2=0.99, eps=1e-3, weight_decay=0.05),
                   lr=0.1, weight_decay=0.05, **free),
        with_optax("schedule_free_adamw_power", optax.contrib.schedule_free_adamw(0.1, b1=0.5, weight_lr_power=1.0), shape=(2, 3), lr=0.1,
                   beta1=0.5, weight_lr_power=1),
    ]


def all_cases():
    adagrad_all = dict(lr=0.1, eps=1e-3, initial_accumulator=0.1, lr_decay=0.01, weight_decay=0.05)
    rmsprop_all = dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05, momentum=0.5, centered=True)
    rmsprop_d2l = dict(lr=0.01, alpha=0.9, eps=1e-6), f"{D2L} RMSProp from scratch", optax_rmsprop(0.01, 0.9, 1e-6)
    return [
        with_torch("sgd_default", "default"),
        with_torch("sgd_plain", lr=0.1),
        with_torch("sgd_momentum", lr=0.1, momentum=0.9),
        with_torch("sgd_dampening", lr=0.1, momentum=0.9, dampening=0.1),
        with_torch("sgd_nesterov", lr=0.1, momentum=0.9, nesterov=True),
        with_torch("sgd_weight_decay", lr=0.1, weight_decay=0.01),
        with_torch("sgd_momentum_weight_decay", lr=0.1, momentum=0.9, weight_decay=0.01),
        with_torch("sgd_nesterov_weight_decay", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        with_torch("adagrad_default", "default"),
        with_torch("adagrad_lr_decay", lr=0.1, lr_decay=0.01),
        with_torch("adagrad_initial_accumulator", lr=0.1, initial_accumulator=0.1),
        with_torch("adagrad_weight_decay", lr=0.1, weight_decay=0.05),
        with_torch("adagrad_eps", lr=0.1, eps=1e-3),
        with_torch("adagrad_all", **adagrad_all),
        inside("adagrad_all_inside", adagrad_all, "restated", optax_adagrad(0.1, 0.1, 1e-3, 0.01, 0.05)),
        *dialects("", first=False),
        *dialects("_first_step", first=True),
        with_torch("rmsprop_default", "default"),
        with_torch("rmsprop_eps", eps=1e-3),
        with_torch("rmsprop_momentum", momentum=0.9),
        with_torch("rmsprop_centered", centered=True),
        with_torch("rmsprop_centered_momentum", centered=True, momentum=0.9),
        with_torch("rmsprop_weight_decay", weight_decay=0.05),
        with_torch("rmsprop_alpha", alpha=0.9),
        with_torch("rmsprop_all", **rmsprop_all),
        inside("rmsprop_all_inside", rmsprop_all, "restated", optax_rmsprop(0.01, 0.9, 1e-3, 0.05, momentum=0.5, centered=True)),
        inside("rmsprop_d2l", *rmsprop_d2l),
        inside("rmsprop_d2l_first_step", *rmsprop_d2l, first=True),
        *element_cases(),
        *whole_cases(),
        *(case for method in CONTRIB.values() for case in method.cases()),
    ]
