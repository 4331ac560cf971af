"""Writes data/unicode_tables.inl, what Python knows of characters:  python unicode_tables.py > ../../data/unicode_tables.inl

scikit-learn's analyzers lower texts by str.lower() and look for words by \\w, so that their features follow Python's Unicode.
"""
import unicodedata

everything = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(chosen):
    found = []
    for c in map(ord, filter(chosen, everything)):
        if c < 0x80:
            continue
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def runs():
    """(first, last, step, what is added) for the characters whose small letter is one other character."""
    pairs = [(ord(c), ord(c.lower()) - ord(c)) for c in everything if c >= "\x80" and c != c.lower() and len(c.lower()) == 1]
    found = []
    i = 0
    while i < len(pairs):
        def end(step):
            j = i
            while j + 1 < len(pairs) and pairs[j + 1] == (pairs[j][0] + step, pairs[i][1]):
                j += 1
            return j
        step = max((1, 2), key=end)
        found.append([pairs[i][0], pairs[end(step)][0], step, pairs[i][1]])
        i = end(step) + 1
    return found


def write(kind, name, rows):
    print(f"constexpr {kind} {name}[] = {{")
    line = "   "
    for row in rows:
        text = " {" + ", ".join(hex(n) if k < 2 else str(n) for k, n in enumerate(row)) + "},"
        if len(line + text) > 140:
            print(line)
            line = "   "
        line += text
    print(line + "\n};")


def ends(text):  # whether the sigma at its end is a final one
    return text.lower().endswith("\u03c2")


assert [c for c in everything if len(c.lower()) > 1] == ["\u0130"]
cased = lambda c: ends(c + "\u03a3")
print(f"// Written by tests/oracles/unicode_tables.py from Unicode {unicodedata.unidata_version}, for characters from 0x80 on.")
print("// clang-format off")
write("Range", "word_ranges", ranges(lambda c: c.isalnum()))
write("Range", "cased_ranges", ranges(cased))
write("Range", "ignorable_ranges", ranges(lambda c: not cased(c) and ends("a" + c + "\u03a3")))
write("Lower", "lower_runs", runs())
print("// clang-format on")
