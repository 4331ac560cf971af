"""Writes hashing.txt: what scikit-learn's FeatureHasher and HashingVectorizer make of names and texts.

    pip install scikit-learn
    python hashing.py > hashing.txt

Python must know Unicode 14 (3.11 does), by which the library's tables were made.
"""
import random
import string
import unicodedata

from sklearn import __version__
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer

assert unicodedata.unidata_version == "14.0.0"
MASK = 0xFFFFFFFF


def rotated(x, n):
    return (x << n | x >> (32 - n)) & MASK


def block(h, k):
    k = rotated(k * 0xCC9E2D51 & MASK, 15) * 0x1B873593 & MASK
    return (rotated(h ^ k, 13) * 5 + 0xE6546B64) & MASK


def name_with_hash(wanted):
    """Printable ASCII of eight bytes. MurmurHash3 can be undone: the last four follow from the first ones."""
    undo = lambda factor: pow(factor, -1, 1 << 32)
    h = wanted
    h ^= h >> 16
    h = h * undo(0xC2B2AE35) & MASK
    h ^= h >> 13 ^ h >> 26
    h = h * undo(0x85EBCA6B) & MASK
    h ^= h >> 16
    h ^= 8
    h = rotated((h - 0xE6546B64) * undo(5) & MASK, 19)
    draw = random.Random(wanted)
    while True:
        first = "".join(draw.choices(string.ascii_letters, k=4)).encode()
        k = h ^ block(0, int.from_bytes(first, "little"))
        k = rotated(k * undo(0x1B873593) & MASK, 17) * undo(0xCC9E2D51) & MASK
        last = k.to_bytes(4, "little")
        if last.isalnum():
            return (first + last).decode()


def row(matrix, i=0):
    matrix = matrix.tocsr()[[i]]
    return " ".join(f"{c}:{v:g}" for c, v in zip(matrix.indices, matrix.data))


def code(text):
    return text.encode().hex() or "-"


def names():
    chosen = ["", "a", "ab", "abc", "abcd", "abcde", "city=Paris", "\u00e9", "\u65e5\u672c\u8a9e", "\U0001f600 smile", "x" * 100]
    chosen += [name_with_hash(h) for h in (0x80000000, 0x7FFFFFFF, 0x80000001, 0, 0xFFFFFFFF, 1)]
    for features in (1, 2, 7, 1000, 1 << 20, (1 << 31) - 1):
        for sign in (True, False):
            hashed = FeatureHasher(features, input_type="pair", alternate_sign=sign).transform([[(name, 1)] for name in chosen])
            for i, name in enumerate(chosen):
                print("name", features, int(sign), code(name), row(hashed, i))
    for features in (5, 1 << 20):
        mixed = {"age": 42, "height": -1.5, "nothing": 0, "city": "Paris", "empty": ""}
        print("dict", features, row(FeatureHasher(features).transform([mixed])))


def texts():
    draw = random.Random(5)
    chosen = ["", " ", "a", "I", "ab", "The quick  brown fox, it's the QUICK one.", "snake_case_2 x1 _ __ 42 4", "  both \t sides\n",
              "one\ntwo\r\nthree\x0b\x1cfour\u00a0five\u2003\u2003six", "Gr\u00fc\u00dfe aus K\u00d6LN! \u00c4\u00d6\u00dc \u1e9e",
              "\u039f\u0394\u039f\u03a3 \u03a3 \u03a3\u0391\u03a3. A\u03a3'B \u0391\u03a3' \u0391\u03a3\u0301\u0391 \u0391\u03a3\u03a3 1\u03a3",
              "\u0130stanbul I\u0307 I\u0131", "\u65e5\u672c\u8a9e \u30c6\u30ad\u30b9\u30c8\u3000\u3002", "cafe\u0301 nai\u0308ve \u01c5 \u01c4 \u2160\u2161",
              "\u041f\u0440\u0438\u0432\u0435\u0442, \u041c\u0418\u0420", "\u0939\u093f\u0928\u094d\u0926\u0940 \u0661\u0662 \u00b2\u00bd", "\U0001f600\U0001f600 \U00010400\U0001d7d8"]
    everything = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
    letters = [c for c in everything if c.isalnum() or c != c.lower()]
    for pool in (everything, letters, letters[:2000], [c for c in everything[:0x600]], list("\u03a3\u0391a'. 1\u0301\u02b0-")):
        chosen += ["".join(draw.choices(pool, k=40)) for _ in range(7)]
    ways = [("word", 1, 1), ("word", 1, 2), ("word", 2, 3), ("char", 1, 1), ("char", 1, 4), ("char", 3, 3), ("char_wb", 1, 4), ("char_wb", 2, 3),
            ("char_wb", 5, 6)]
    for analyzer, shortest, longest in ways:
        for lowercase in (True, False):
            for number, text in enumerate(chosen):
                features = 1 << 20 if number < 17 and number % 3 == 0 else 101
                sign = (number + lowercase) % 4 != 0
                hashed = HashingVectorizer(analyzer=analyzer, ngram_range=(shortest, longest), lowercase=lowercase, n_features=features,
                                           alternate_sign=sign, norm=None).transform([text])
                if features == 101:  # of few columns all that is needed is that their sum is right
                    dense = hashed.toarray()[0]
                    numbers = f"{hashed.nnz} {int(sum(v * (c + 1) ** 2 for c, v in enumerate(dense)))} {int(abs(dense).sum())}"
                else:
                    numbers = row(hashed)
                print("text", analyzer, shortest, longest, int(lowercase), features, int(sign), code(text), numbers)


print(f"# By scikit-learn {__version__}; hashing.py says how. Names and texts are UTF-8 in hexadecimal, \"-\" for none.")
print("# name FEATURES ALTERNATE_SIGN NAME COLUMN:SIGN")
print("# dict FEATURES COLUMN:VALUE ...")
print("# text ANALYZER SHORTEST LONGEST LOWERCASE FEATURES ALTERNATE_SIGN TEXT COLUMN:VALUE ... where there are 2^20 features, else")
print("#   the number of columns, the sum of value * (column + 1)^2, and the sum of absolute values")
names()
texts()
