"""Shampoo (Gupta, Koren & Singer, arXiv:1802.09568, algorithm 1): roots by Newton's iteration, where the library has eigenvectors."""
import numpy as np

DEFAULTS = dict(lr=0.1, eps=1e-4, weight_decay=0, update_freq=10)
OWN_DECAY = False


def inverse_fourth_root(a, T):
    """x -> a^(-1/4) beside m -> 1 (Guo & Higham, "A Schur-Newton method for the matrix p-th root and its inverse", 2006, eq. 1.12)."""
    one = np.eye(len(a), dtype=T)
    scale = T(2.5) / np.sqrt(np.sum(a * a))
    x, m = one * scale ** T(0.25), a * scale
    for _ in range(60):
        n = (5 * one - m) / 4
        x, m = x @ n, n @ n @ n @ n @ m
    return x


def start(o, T):
    past = {}

    def step(w, g, t):
        if g.ndim < 2:
            s = past["s"] = past.get("s", T(0)) + g * g
            return w - o["lr"] * g / (np.sqrt(s) + o["eps"])
        x = g.reshape(len(g), -1)
        for side, gram in (("left", x @ x.T), ("right", x.T @ x)):
            past[side] = past.get(side, o["eps"] * np.eye(len(gram), dtype=T)) + gram
            if t % o["update_freq"] == 0 or t < o["update_freq"] and t in (1, 2, 4, 8, 16, 32):
                past[side + " root"] = inverse_fourth_root(past[side], T)
        return w - o["lr"] * (past["left root"] @ x @ past["right root"]).reshape(w.shape)
    return step


def cases():
    from cases import A, B, Case, optax, with_optax
    paper = "restated: Gupta et al. 2018, algorithm 1"
    full = dict(a=np.array([1.0, 0.5, 2.0, 0.7, 1.5, 3.0]), b=np.array([0.5, -1.0, 0.25, 2.0, 0.7, -2.0]))
    corner = np.array([1, 0, 0, 0, 0, 0])
    adagrad = optax.chain(optax.scale_by_rss(0.0, 1e-2), optax.scale(-0.1))
    one = with_optax("shampoo_one_element", adagrad, shape=(2, 3), eps=1e-2, update_freq=1)
    one.a, one.b = A * corner, B * corner
    one.source = one.source.replace("optax.shampoo", "optax.adagrad of one element")
    return [
        Case("shampoo_default", {}, paper, None, preset="default", shape=(2, 3), **full),
        Case("shampoo_each_step", dict(update_freq=1), paper, None, shape=(2, 3), **full),
        Case("shampoo_all", dict(lr=0.3, eps=0.5, weight_decay=0.05, update_freq=3), paper, None, shape=(3, 2), **full),
        Case("shampoo_three_axes", dict(lr=0.3, eps=0.1, update_freq=7), paper, None, shape=(2, 1, 3), **full),
        Case("shampoo_vector", dict(lr=0.3, eps=0.1), paper, None),
        one,
    ]


NUMBERS = """
case shampoo_default
method shampoo
preset default
shape 2 3
options lr=0.1 eps=0.0001 weight_decay=0 update_freq=10
source restated: Gupta et al. 2018, algorithm 1
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.7 1.5 3.0
b 0.5 -1.0 0.25 2.0 0.7 -2.0
w 1 0.9084670644328146 -1.9597378671819565 0.5003531713494767 3.0115707878943105 -0.7228511099242034 1.404454921949544
w 2 0.8677021690836765 -1.9619766254696756 0.4918537620670637 2.9758608542483778 -0.720115416982054 1.3501909102164276
w 3 0.8650167831360506 -1.9791471166570316 0.47381436729240867 2.879506609733969 -0.7460075714505494 1.2870115620099711
w 10 0.7740643376278532 -1.629890797260971 0.47996542507265116 2.777131113025811 -0.692159676403922 0.9483428955438569
w 50 0.6101711393697288 -1.2869450762349106 0.343483132978126 2.356254288738776 -0.5373881637321574 0.560754883503114
end

case shampoo_each_step
method shampoo
preset -
shape 2 3
options lr=0.1 eps=0.0001 weight_decay=0 update_freq=1
source restated: Gupta et al. 2018, algorithm 1
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.7 1.5 3.0
b 0.5 -1.0 0.25 2.0 0.7 -2.0
w 1 0.9084670644328146 -1.9597378671819565 0.5003531713494767 3.0115707878943105 -0.7228511099242034 1.404454921949544
w 2 0.8677021690836765 -1.9619766254696756 0.4918537620670637 2.9758608542483778 -0.720115416982054 1.3501909102164276
w 3 0.8668199622816849 -1.97474638127996 0.4748379856272173 2.916838594434404 -0.7221911375115566 1.3083544549389745
w 10 0.7877784790307293 -1.717297350886365 0.4722458018157045 2.8318893589109786 -0.6858190404313063 1.043508993623027
w 50 0.6391890731082347 -1.378977418332708 0.3637167949013387 2.459504821171376 -0.5646492057033768 0.6422744750454266
end

case shampoo_all
method shampoo
preset -
shape 3 2
options lr=0.3 eps=0.5 weight_decay=0.05 update_freq=3
source restated: Gupta et al. 2018, algorithm 1
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.7 1.5 3.0
b 0.5 -1.0 0.25 2.0 0.7 -2.0
w 1 0.7965222684602483 -1.9625270269606598 0.3322929161683237 2.898672605703664 -0.6881223837262207 1.2337675141525843
w 2 0.6745338429561384 -1.9524364217394332 0.24631617308168668 2.728602999833648 -0.6568806638549918 1.1130882909599502
w 3 0.6204139164468245 -1.9531356730145883 0.18513363590408363 2.5344085178422993 -0.6366054310796709 1.0123052902620537
w 10 0.3371894941879143 -1.5143795383995171 -0.04735026776634761 1.9656927460422826 -0.2682127493252512 0.4080831112972469
w 50 0.08843532552051137 -0.8141905735629889 -0.03287439011212595 0.8701204126577711 -0.0894566907504036 0.1475152345558348
end

case shampoo_three_axes
method shampoo
preset -
shape 2 1 3
options lr=0.3 eps=0.1 weight_decay=0 update_freq=7
source restated: Gupta et al. 2018, algorithm 1
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.7 1.5 3.0
b 0.5 -1.0 0.25 2.0 0.7 -2.0
w 1 0.7330611566864794 -1.881575587421269 0.49804583260568447 3.0315286841988276 -0.6680543492304839 1.216047303577931
w 2 0.6470160114093217 -1.8959610448247113 0.4467284141752732 2.8999354429542956 -0.6538776966287644 1.0980890845954925
w 3 0.6782363941781568 -1.946475721733559 0.37663821564338984 2.588174403683813 -0.7208419527896925 0.9648884192401933
w 10 0.4627082028175251 -1.0946943786185206 0.3426021385441993 2.217084844726896 -0.464711717197613 0.34673482280602125
w 50 0.2345315786690682 -0.5342690278518439 0.05514910745280349 1.0428896109152967 -0.15127539260250683 0.12904804709920767
end

case shampoo_vector
method shampoo
preset -
shape 6
options lr=0.3 eps=0.1 weight_decay=0 update_freq=10
source restated: Gupta et al. 2018, algorithm 1
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.5 2.0 0.125 0.0001 3.0
b 0.5 -1.0 0.25 0.3 0.0001 -2.0
w 1 0.7202371648168411 -1.7308910363209422 0.23432565112177028 2.8360112494622642 -0.7497714576390663 1.2102369008920573
w 2 0.5781255028575463 -1.691712150884212 0.15922331426513087 2.6335583749366713 -0.7497369606625887 1.0640096433615565
w 3 0.5217317383342079 -1.7379846990334447 0.10256791221440406 2.4222708896787406 -0.7498069637103749 0.9218474721928158
w 10 0.079754698880122 -0.8543248480555186 0.06687372544755762 1.9049535836100275 -0.7477558599972103 0.2662161236364423
w 50 0.05743585925292296 -0.32631525740237294 -0.01573439001388307 0.7266279741963306 -0.7397197719064366 0.03499143234588838
end

case shampoo_one_element
method shampoo
preset -
shape 2 3
options lr=0.1 eps=0.01 weight_decay=0 update_freq=1
source optax.adagrad of one element, optax 0.2.8, jax 0.10.2
checked the formula in double and in extended precision
w0 1.0 -2.0 0.5 3.0 -0.75 1.5
a 1.0 0.0 0.0 0.0 0.0 0.0
b 0.5 -0.0 0.0 0.0 0.0 -0.0
w 1 0.9002606087545539 -2.0 0.5 3.0 -0.75 1.5
w 2 0.8423230503994459 -2.0 0.5 3.0 -0.75 1.5
w 3 0.8095496962803648 -2.0 0.5 3.0 -0.75 1.5
w 10 0.5813773363445385 -2.0 0.5 3.0 -0.75 1.5
w 50 0.21051101251881926 -2.0 0.5 3.0 -0.75 1.5
end
"""
