"""Odd things that stand where something else is expected: words, numbers, characters, values.

Strategies are made once: to make one takes hypothesis longer than to draw from it.
"""

from functools import cache

from hypothesis import strategies as st

from . import corpus

NUMBERS = (
    *"0 -1 1 1e-3 1e999 -1e999 1e-999 1e308 1e309 .nan .inf -.inf nan inf 1_000 0x10 0o17 0b1 1e 1. .5 01 +3".split(),
    *"1e5 1e-400 1e9999999999 1000000000 1000000000000 2147483648 9223372036854775808 99999999999999999999".split(),
    *("1:30", "12e03", "9" * 30, "9" * 5000, "0." + "0" * 5000 + "1"),
)
MARKS = (
    *"\t\n:,-'\"[]{}#|>%@`!?&*=/\\\0\x07\x1b\x7f\x85\ufeff\u2028\u200b\u200d\u202e\u2066\u00a0",
    *("- ", ": ", " #", "? ", "---\n", "...\n", "\r", "\r\n", "\n  ", "{}", "[]", "''", '""', "<<: *a", "&a ", "&a *a"),
    *("!!python/object/apply:os.system [true]", "!!python/name:os.system", "!!binary aGk=", "!!set {a}", "!own "),
    *("!!str 1", "!!timestamp 2001-01-01", "!!", "%YAML 1.1\n---\n", "%TAG ! tag:x,2000:\n---\n", "2001-01-01", "<<"),
)
WORDS = (
    *("", "v\u0430", "\u0440re.rate", "\uff56\uff11", "v\u200b1", "\u202ev1", "v1\u0301", "\u2160", "\u00b5", "é"),
    *("\U0001f600", "\ud800", "x\x1b[31m", "x" * 300, "x" * 5000),
    *"~ null on off yes no true True y none all global rotate end engaged in out class None lambda def import".split(),
    *"self __class__ __import__ pre post w rate mod centre a.b a..b . .. a/b ../x.yaml /dev/zero /dev/stdin".split(),
    *"/etc/passwd x.yaml fuzzed.yaml x~ x~~ -> a->b $ $x $channels $( $() $(9**9) $(1/0) $(sizes[0])".split(),
    *"$(sizes[9]) $(classes $(min(1)) ${x} %s%n {0} stage1 stage1.block1 stage1.block1.sum dense conv pool".split(),
    *"flatten softmax batch reciprocal direct independent transpose_of same_as".split(),
)

ANYTHING = (*NUMBERS, *MARKS, *WORDS)


@cache
def words() -> st.SearchStrategy[str]:
    """A word that means something somewhere, or an odd one."""
    return st.one_of(st.sampled_from(corpus.names()), st.sampled_from(WORDS), st.text(max_size=4))


@cache
def numbers() -> st.SearchStrategy[int | float]:
    """Numbers that a declaration may well have, and extreme ones."""
    whole = (10**9, 10**12, 2**31, 2**63, 10**30, -(10**12))
    broken = (1e300, 5e-324, float("inf"), float("-inf"), float("nan"))
    return st.one_of(st.integers(-2, 12), st.sampled_from((*whole, *broken)), st.floats(0, 1), st.integers())


@cache
def values() -> st.SearchStrategy[object]:
    """Plain data of any kind."""
    leaf = st.one_of(st.none(), st.booleans(), numbers(), words())
    return st.recursive(
        leaf,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words(), inner, max_size=3),
        max_leaves=5,
    )
