"""Prodigy (Mishchenko & Defazio, arXiv:2306.06101, algorithm 4); gamma is the paper's rate of a step.

Optax multiplies eps by the next d, where the paper has this step's: it is asked without eps.
"""
import numpy as np

DEFAULTS = dict(lr=1, beta1=0.9, beta2=0.999, eps=1e-8, d0=1e-6, d_coef=1, weight_decay=0, bias_correction=False)
OWN_DECAY = True


def start(o, T):
    x = {}

    def step(w, g, t):
        if t == 1:
            x.update(w0=w, d=o["d0"], r=T(0), s=0 * w, m=0 * w, v=0 * w)
        d, b1, b2, root = x["d"], o["beta1"], o["beta2"], np.sqrt(o["beta2"])
        gamma = o["lr"] * (np.sqrt(1 - b2 ** t) / (1 - b1 ** t) if o["bias_correction"] else 1)
        m = x["m"] = b1 * x["m"] + (1 - b1) * d * g
        v = x["v"] = b2 * x["v"] + (1 - b2) * d * d * g * g
        r = x["r"] = root * x["r"] + (1 - root) * gamma * d * d * np.sum(g * (x["w0"] - w))
        s = x["s"] = root * x["s"] + (1 - root) * gamma * d * d * g
        x["d"] = max(d, o["d_coef"] * r / np.sum(np.abs(s)))
        return w - gamma * d * o["weight_decay"] * w - gamma * d * m / (np.sqrt(v) + d * o["eps"])
    return step


def cases():
    from cases import B, Case, optax, with_optax
    paper = "restated: Mishchenko & Defazio 2023, algorithm 4"
    most = dict(lr=0.5, beta1=0.8, beta2=0.99, eps=1e-3, d0=0.01, d_coef=0.5, weight_decay=0.05)
    return [
        # From 0, since elsewhere w0 - w is all rounding at first; down a hill, so that d grows.
        Case("prodigy_default", {}, paper, None, preset="default", start=np.zeros(6), a=np.array([-3.0, -1.5, -6.0, -2.0, -4.5, -9.0]),
             b=0.05 * B),
        Case("prodigy_all", most, paper, None, shape=(2, 3)),
        with_optax("prodigy_bias_correction", optax.contrib.prodigy(estim_lr0=0.01, eps=0.0), eps=0, d0=0.01, bias_correction=True),
        with_optax("prodigy_all_bias_correction",
                   optax.contrib.prodigy(0.5, (0.8, 0.99), eps=0.0, estim_lr0=0.01, estim_lr_coef=0.5, weight_decay=0.05),
                   **most | dict(eps=0, bias_correction=True)),
    ]


NUMBERS = """
case prodigy_default
method prodigy
preset default
shape 6
options lr=1 beta1=0.9 beta2=0.999 eps=1e-08 d0=1e-06 d_coef=1 weight_decay=0 bias_correction=0
source restated: Mishchenko & Defazio 2023, algorithm 4
checked the formula in double and in extended precision
w0 0.0 0.0 0.0 0.0 0.0 0.0
a -3.0 -1.5 -6.0 -2.0 -4.5 -9.0
b 0.025 -0.05 0.0125 0.015 5e-06 -0.1
w 1 -3.1622253626628934e-06 -3.1621224419076138e-06 3.1621891741308775e-06 3.1621990550427638e-06 5.179718312005783e-07 3.1622656800450374e-06
w 2 -6.629266686753444e-06 -6.767046263131974e-06 7.4167970497058525e-06 6.917811237336941e-06 -1.6250251687833864e-06 7.415080474723969e-06
w 3 -6.208121925141058e-06 -1.3957671824353483e-05 1.591662156026027e-05 8.471406169598928e-06 -7.079690471859784e-06 1.5913720295402687e-05
w 10 6.146968710181471e-05 -3.0232609235218295e-05 -3.924741437235677e-05 -6.368261997796823e-05 -0.000159988418385415 -2.9183954030404656e-05
w 50 -0.10588226057347365 -0.09097281689365046 -0.10688291444965212 0.10498374438895305 -0.10959997540968539 0.09426385740245258
end

case prodigy_all
method prodigy
preset -
shape 2 3
options lr=0.5 beta1=0.8 beta2=0.99 eps=0.001 d0=0.01 d_coef=0.5 weight_decay=0.05 bias_correction=0
source restated: Mishchenko & Defazio 2023, algorithm 4
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.125 0.0001 3.0
b 0.5 -1.0 0.25 0.3 0.0001 -2.0
w 1 0.9898218173550061 -1.9896134873462774 0.49000255395471926 2.9900158727677555 -0.7497368379723749 1.489660204147067
w 2 0.9771528574110727 -1.9786770814633936 0.4772738341045082 2.9773077780012356 -0.74947746025392 1.4766772996224786
w 3 0.9638572148676853 -1.9698977805685542 0.46305954472007727 2.963051084305202 -0.7492557477880502 1.462135926988603
w 10 0.6693773150959343 -1.6785738964730919 0.1503834508941463 2.670452192184288 -0.7410315264635811 1.140913517287246
w 50 0.003104823060869427 -0.2492074452427419 -0.20536057665253865 0.053303425284775136 -0.15086840023613107 0.2682318254052125
end

case prodigy_bias_correction
method prodigy
preset -
shape 6
options lr=1 beta1=0.9 beta2=0.999 eps=0 d0=0.01 d_coef=1 weight_decay=0 bias_correction=1
source optax.contrib.prodigy, optax 0.2.8, jax 0.10.2
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.125 0.0001 3.0
b 0.5 -1.0 0.25 0.3 0.0001 -2.0
w 1 0.99 -1.99 0.49 2.99 -0.74 1.49
w 2 0.9801420802470122 -1.981463614310195 0.48001507923716513 2.9805223136776693 -0.7323438075425475 1.4800552083082414
w 3 0.9706530297500636 -1.9749243923361983 0.47000368866107023 2.9712123914954502 -0.7286995282093007 1.4700604153404022
w 10 0.6903314557683393 -1.7081878051301038 0.15746362153082488 2.659230466668997 -0.4833964023770389 1.1667778588871707
w 50 0.30610373941286034 -0.5556702394450639 -0.14467498755078606 0.0442047890657864 0.12525405817063145 0.258648063668275
end

case prodigy_all_bias_correction
method prodigy
preset -
shape 6
options lr=0.5 beta1=0.8 beta2=0.99 eps=0 d0=0.01 d_coef=0.5 weight_decay=0.05 bias_correction=1
source optax.contrib.prodigy, optax 0.2.8, jax 0.10.2
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.125 0.0001 3.0
b 0.5 -1.0 0.25 0.3 0.0001 -2.0
w 1 0.994875 -1.99475 0.4949375 2.994625 -0.74490625 1.4948125
w 2 0.9898796408048645 -1.9904110212913406 0.4898987250869419 2.9894926973945455 -0.7411519757120232 1.4897088197312853
w 3 0.9851463665746941 -1.987248194698944 0.4848312485888743 2.98437461301629 -0.7396125556551998 1.4845583131584286
w 10 0.9516940864252222 -1.9538330551630896 0.4483643588427433 2.9505079890224595 -0.7137876304513685 1.4471136515148628
w 50 -0.151571777887358 -0.19247962665536492 -0.03930852299099241 -0.13255577906602206 -0.15616766569326146 0.14148559265996286
end
"""
