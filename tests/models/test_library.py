"""Loading by name, by path and from text."""

from pathlib import Path

import pytest

import counterstream as cs
from counterstream.circuits.yamlfile import Document
from counterstream.models import load_learning, stock_circuits, stock_learning
from counterstream.models.library import load_document

NET = """
populations: {x: {input: 3}, y: {transfer: softmax}}
projections: [{from: x, to: y, wiring: {dense: {size: 2}}}]
"""
MINE = 'name: mine\nmodes: {engaged: {forward: "-post.apical * pre.rate * k"}}\nparameters: {k: 2}\n'


@pytest.mark.parametrize("learning", stock_learning())
@pytest.mark.parametrize("circuit", stock_circuits())
def test_every_stock_circuit_under_every_stock_system(circuit: str, learning: str) -> None:
    loaded = cs.load(circuit, learning=learning)
    assert loaded.name == circuit
    assert loaded.learning == load_learning(learning)
    assert cs.expand(loaded).system == learning


def test_stock_files_bear_their_names() -> None:
    for name, path in {**stock_circuits(), **stock_learning()}.items():
        assert path.read_text(encoding="utf-8").startswith(f"format: 1\nname: {name}\n")


def test_a_learning_system_stands_beside_its_circuit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    (tmp_path / "net.yaml").write_text(f"{NET}learning: mine.yaml\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert cs.load("../net.yaml").learning.name == "mine"
    assert cs.load(tmp_path / "net.yaml", learning=tmp_path / "mine.yaml").learning.name == "mine"
    assert cs.loads(f"{NET}learning: mine.yaml\n", file=str(tmp_path / "any")).learning.name == "mine"


def test_problems_of_both_files_have_their_own_places(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE.replace("pre.rate", "pre.rat").replace("forward", "fwd"))
    (tmp_path / "net.yaml").write_text(f"{NET.replace('input', 'inptu')}learning: mine.yaml\n")
    with pytest.raises(cs.CircuitError) as caught:
        cs.load(tmp_path / "net.yaml")
    assert [Path(p.location.file).name for p in caught.value.problems] == ["mine.yaml", "net.yaml"]
    (tmp_path / "mine.yaml").write_text(MINE.replace("pre.rate", "pre.rat"))
    (tmp_path / "net.yaml").write_text(f"{NET}learning: mine.yaml\n")
    with pytest.raises(cs.CircuitError) as caught:
        cs.load(tmp_path / "net.yaml")
    assert "mine.yaml:2:44: modes.engaged.forward: 'pre.rat'" in str(caught.value)


@pytest.mark.parametrize("learning", ["mine.yaml", "feedback_alignment", MINE])
def test_given_systems_take_the_place_of_the_file_s_own(tmp_path: Path, learning: str) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    system = load_learning(tmp_path / "mine.yaml") if learning == MINE else learning
    system = tmp_path / system if system == "mine.yaml" else system
    circuit = cs.loads(f"{NET}learning: no_such_system\n", learning=system)
    assert circuit.learning.name in ("mine", "feedback_alignment")


def test_parameters_are_replaced_and_checked() -> None:
    circuit = cs.loads(f"{NET}learning: backprop\n", parameters={"decay": 0.5})
    assert cs.expand(circuit).parameters == {"decay": 0.5}
    with pytest.raises(cs.CircuitError, match=r"unknown parameter 'dcay'\. Did you mean 'decay'"):
        cs.loads(f"{NET}learning: backprop\n", parameters={"dcay": 0.5})
    with pytest.raises(cs.CircuitError, match=r"parameters.decay: must be a finite number \(got nan\)"):
        cs.loads(f"{NET}learning: backprop\n", parameters={"decay": float("nan")})


def test_parameters_left_over_from_another_system_do_no_harm() -> None:
    text = f"{NET}learning: weight_mirror\nparameters: {{r: 0.2}}\n"
    assert cs.loads(text).parameters == {"r": 0.2}
    assert cs.loads(text, learning="backprop").learning.name == "backprop"


def test_with_learning_keeps_the_forward_topology() -> None:
    circuit = cs.loads(f"{NET}learning: backprop\n")
    other = cs.with_learning(circuit, "kolen_pollack", parameters={"decay": 0.1})
    assert other.learning.name == "kolen_pollack"
    assert other.parameters == {"decay": 0.1}
    assert other.projections == circuit.projections
    with pytest.raises(cs.CircuitError, match="has a learning system or declares feedback"):
        cs.with_learning(cs.expand(cs.load("digits_resnet")), "backprop")


def test_documents_from_elsewhere() -> None:
    data = {"populations": {"x": {"input": 3}, "y": {"loss": "squared"}}, "projections": [{"from": "x", "too": "y"}]}
    with pytest.raises(cs.CircuitError, match=r"trial: projections\[0\].too: unknown key 'too'. Did you mean 'to'"):
        load_document(Document(data, "trial"))


@pytest.mark.parametrize("name", ["digits_resnt", "", "a\0b", "x" * 5000, "/", "no/such/file"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(cs.CircuitError):
        cs.load(name)
    with pytest.raises(cs.CircuitError):
        load_learning(name)


def test_nothing_in_a_file_is_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rule = "__import__('pathlib').Path('evil').touch()"
    for text in (
        f"name: !!python/object/apply:pathlib.Path.touch [evil]\n{NET}",
        f'{NET}learning: {{modes: {{engaged: {{forward: "{rule}"}}}}}}\n',
        f'{NET}learning: {{modes: {{engaged: {{forward: "(lambda: {rule})()"}}}}}}\n',
    ):
        with pytest.raises(cs.CircuitError):
            cs.loads(text)
    assert list(tmp_path.iterdir()) == []
