"""Names are keys and nothing else: one that means something to Python means nothing here."""

from itertools import pairwise

import numpy as np
import pytest

import counterstream as cs

WORDS = ("class", "lambda", "None", "__init__", "self", "print")


def circuit(hidden: str, output: str) -> cs.Circuit:
    net = cs.Builder("words")
    net.input("import", [3])
    net.population(hidden, normalize="batch", transfer="tanh")
    net.population(output, transfer="softmax")
    net.project("import", hidden, {"dense": {"size": 4}})
    net.project(hidden, output, {"dense": {"size": 2}}, name="global")
    return net.circuit("kolen_pollack")


@pytest.mark.parametrize("engine", ["torch", "reference"])
@pytest.mark.parametrize(("hidden", "output"), list(pairwise((*WORDS, WORDS[0]))))
def test_a_word_of_python_is_a_name_like_any_other(hidden: str, output: str, engine: str) -> None:
    images, labels = np.ones((5, 3)), np.array([0, 1, 0, 1, 1])
    words, plain = (
        cs.compile(circuit(*names), engine=engine, dtype="float64", seed=0) for names in ((hidden, output), ("h", "y"))
    )
    assert cs.loads(cs.dump(circuit(hidden, output))) == circuit(hidden, output)
    plain.weights["import->h"], plain.weights["global"] = words.weights[f"import->{hidden}"], words.weights["global"]
    plain.weights["global~"] = words.weights["global~"]
    assert words.step(images, labels) == pytest.approx(plain.step(images, labels))
    assert words.weights["global"] == pytest.approx(plain.weights["global"])
    assert words.read(f"{hidden}.rate") == pytest.approx(plain.read("h.rate"))
    assert words.biases[output] == pytest.approx(plain.biases["y"])
