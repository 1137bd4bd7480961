"""Blocks, stages and options written out."""

import re

import pytest

import counterstream as cs
from counterstream.circuits.inlining import flat
from counterstream.circuits.options import apply_options
from counterstream.circuits.yamlfile import read

TEXT = """
options: {width: 2, sides: [1, 6, 6]}
blocks:
  twice:
    parameters: {channels: 3, inner: $channels, width: 7}
    ports: {in: source, out: b}
    populations:
      a: {transfer: relu}
      b: {}
    projections:
      - {from: source, to: a, wiring: {conv: {channels: $inner, kernel: 3}}}
      - {name: up, from: a, to: b, wiring: {conv: {channels: $channels, kernel: 3}}}
      - {name: same, from: a, to: b, wiring: {conv: {channels: $channels, kernel: 3}}, weights: {same_as: up}}
  once:
    ports: {out: b}
    populations: {b: {}}
    projections: [{from: in, to: b, wiring: {conv: {channels: $width, kernel: 1}}}]
populations:
  image: {input: $sides}
  y: {transfer: softmax}
stages:
  - {name: low, from: image, block: twice, repeat: 2, with: {channels: $width}, first: {inner: 5}}
  - {name: high, from: low, block: twice, first: {block: once}}
projections:
  - {from: high, to: y, wiring: {dense: {size: 3}}}
  - {name: skip, from: low, to: y, wiring: {dense: {size: 3}}}
"""


def written_out() -> cs.Circuit:
    return cs.expand(cs.loads(TEXT))


def test_instances_are_named_by_stage_and_number() -> None:
    forward = [name for name in written_out().populations if not name.endswith("~")]
    assert forward == ["image", "y", *(f"low.block{n}.{p}" for n in (1, 2) for p in "ab"), "high.block1.b"]


def test_instances_follow_each_other_and_stages_end_in_their_last_output() -> None:
    ends = {p.label: (p.source, p.target) for p in written_out().projections}
    assert ends["image->low.block1.a"] == ("image", "low.block1.a")
    assert ends["low.block1.b->low.block2.a"] == ("low.block1.b", "low.block2.a")
    assert ends["low.block2.b->high.block1.b"] == ("low.block2.b", "high.block1.b")
    assert ends["high.block1.b->y"] == ("high.block1.b", "y")
    assert ends["skip"] == ("low.block2.b", "y")
    assert ends["low.block1.up"] == ("low.block1.a", "low.block1.b")


def test_parameters_come_from_block_stage_first_and_option() -> None:
    shapes = {name: p.shape for name, p in written_out().populations.items()}
    assert shapes["low.block1.a"] == (5, 6, 6)  # first
    assert shapes["low.block2.a"] == (2, 6, 6)  # the block's own default names another of its parameters
    assert shapes["low.block2.b"] == (2, 6, 6)  # the stage's, from an option
    assert shapes["high.block1.b"] == (2, 6, 6)  # an option that no parameter of this block hides


def test_ties_inside_a_block_stay_inside_it() -> None:
    ties = {p.label: p.tie.owner for p in written_out().projections if p.tie}
    assert ties == {"low.block1.same": "low.block1.up", "low.block2.same": "low.block2.up"}


def test_options_are_replaced_and_none_is_left() -> None:
    circuit = cs.loads(TEXT, options={"width": 4})
    assert circuit.options == {}
    assert cs.expand(circuit).populations["high.block1.b"].shape == (4, 6, 6)
    assert cs.loads(cs.dump(circuit)) == circuit
    with pytest.raises(cs.CircuitError, match=r"unknown option 'widht'\. Did you mean 'width'"):
        cs.loads(TEXT, options={"widht": 4})


def test_pieces_keep_the_place_and_the_path_that_was_written() -> None:
    document = flat(apply_options(read(TEXT, "f.yaml"), {}))
    index = next(i for i, p in enumerate(document.data["projections"]) if p.get("name") == "low.block2.up")
    problem = document.problem("is wrong", ("projections", index, "wiring", "conv", "kernel"))
    assert str(problem) == "f.yaml:12:73: blocks.twice.projections[1].wiring.conv.kernel: is wrong"
    own = next(i for i, p in enumerate(document.data["projections"]) if p.get("name") == "skip")
    assert document.problem("", ("projections", own)).path == "projections[1]"


def test_what_is_wrong_in_a_block_is_said_once() -> None:
    with pytest.raises(cs.CircuitError) as caught:
        cs.loads(
            TEXT.replace("kernel: 3}}}\n  once", "kernel: 2}}}\n  once").replace(
                "$inner, kernel: 3", "$inner, kernel: 2"
            )
        )
    assert [p.path for p in caught.value.problems] == ["blocks.twice.projections[0].wiring"]


def test_a_resnet_50_reads_in_under_80_lines_and_loads_in_a_second() -> None:
    import time

    began = time.process_time()
    circuit = cs.loads(RESNET_50)
    assert time.process_time() - began < 1.5
    explicit = cs.expand(circuit)
    convs = [p for p in explicit.projections if p.wiring is not None and p.wiring.kind == "conv"]
    assert len(RESNET_50.splitlines()) < 80
    assert len(convs) == 53
    assert explicit.populations["stage4.block3.sum"].shape == (2048, 7, 7)


RESNET_50 = """\
name: resnet50
blocks:
  bottleneck:
    parameters: {narrow: 64, wide: 256, stride: 1}
    ports: {out: sum}
    populations:
      a: {normalize: batch, transfer: relu}
      b: {normalize: batch, transfer: relu}
      c: {normalize: batch}
      sum: {transfer: relu}
    projections:
      - {from: in, to: a, wiring: {conv: {channels: $narrow, kernel: 1}}}
      - {from: a, to: b, wiring: {conv: {channels: $narrow, kernel: 3, stride: $stride}}}
      - {from: b, to: c, wiring: {conv: {channels: $wide, kernel: 1}}}
      - {from: c, to: sum, wiring: one_to_one}
      - {from: in, to: sum, wiring: one_to_one}
  widening:
    parameters: {narrow: 64, wide: 256, stride: 2}
    ports: {out: sum}
    populations:
      a: {normalize: batch, transfer: relu}
      b: {normalize: batch, transfer: relu}
      c: {normalize: batch}
      shortcut: {normalize: batch}
      sum: {transfer: relu}
    projections:
      - {from: in, to: a, wiring: {conv: {channels: $narrow, kernel: 1}}}
      - {from: a, to: b, wiring: {conv: {channels: $narrow, kernel: 3, stride: $stride}}}
      - {from: b, to: c, wiring: {conv: {channels: $wide, kernel: 1}}}
      - {from: c, to: sum, wiring: one_to_one}
      - {from: in, to: shortcut, wiring: {conv: {channels: $wide, kernel: 1, stride: $stride}}}
      - {from: shortcut, to: sum, wiring: one_to_one}
populations:
  image: {input: [3, 224, 224]}
  stem: {normalize: batch, transfer: relu}
  low: {}
  pooled: {}
  label: {transfer: softmax}
stages:
  - {name: stage1, from: low, block: bottleneck, repeat: 3, first: {block: widening, stride: 1}}
  - {name: stage2, from: stage1, block: bottleneck, repeat: 4, with: {narrow: 128, wide: 512}, first: {block: widening}}
  - name: stage3
    from: stage2
    block: bottleneck
    repeat: 6
    with: {narrow: 256, wide: 1024}
    first: {block: widening}
  - name: stage4
    from: stage3
    block: bottleneck
    repeat: 3
    with: {narrow: 512, wide: 2048}
    first: {block: widening}
projections:
  - {from: image, to: stem, wiring: {conv: {channels: 64, kernel: 7, stride: 2}}}
  - {from: stem, to: low, wiring: {pool: {kind: max, size: 3, stride: 2, padding: 1}}}
  - {from: stage4, to: pooled, wiring: {pool: {kind: average, size: global}}}
  - {from: pooled, to: label, wiring: {dense: {size: 1000}}}
learning: weight_mirror
"""


RECKONED = """
options: {{n: 3, m: $(n + 1), {more}}}
variants:
  odd: {{n: $(n * 2)}}
  circle: {{n: $(k * 2), k: $n}}
blocks:
  layer:
    parameters: {{size: 2, twice: $(2 * size)}}
    ports: {{out: h}}
    populations: {{h: {{transfer: relu}}}}
    projections: [{{from: in, to: h, wiring: {{dense: {{size: $twice}}}}}}]
populations: {{x: {{input: [4]}}, y: {{transfer: softmax}}}}
stages: [{{name: s, from: x, block: layer, repeat: $k, with: {{size: $m}}}}]
projections: [{{from: s, to: y, wiring: {{dense: {{size: $n}}}}}}]
learning: backprop
"""


def problems(text: str, variant: str | None = None, **options: object) -> list[tuple[str, str]]:
    """(path, message) of everything wrong with the options of a text."""
    with pytest.raises(cs.CircuitError) as caught:
        apply_options(read(text, "f.yaml"), options, variant)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_options_are_reckoned_in_any_order() -> None:
    circuit = cs.loads(RECKONED.format(more='k: "$(l - 1)", l: 2'))
    assert cs.expand(circuit).populations["s.block1.h"].shape == (8,)
    circuit = cs.loads(RECKONED.format(more='k: "$(l - 1)", l: 2'), options={"n": 5, "l": "$(m - 4)"})
    assert cs.expand(circuit).populations["s.block1.h"].shape == (12,)


def test_an_option_reckoned_from_itself_is_told_where_it_stands() -> None:
    text = RECKONED.format(more="k: 1")
    assert problems(text, "odd") == [("variants.odd.n", "'n' may not be reckoned from itself")]
    assert problems(text, "circle") == [("variants.circle.n", "'n' may not be reckoned from itself by way of 'k'")]
    assert problems(text, m="$m") == [("", "'m' may not be reckoned from itself")]


def test_an_option_that_cannot_be_reckoned_is_told_once_where_it_stands() -> None:
    text = RECKONED.format(more="k: {deep: [1, $(none)]}, l: $(k * 2)")
    ((path, message),) = problems(text)
    assert (path, message.partition(".")[0]) == ("options.k.deep[1]", "unknown name '$none'")


def test_options_that_grow_beyond_reason_are_told() -> None:
    grown = f'a: 99999999, b: "$({"*".join("a" * 30)})", k: "$({"*".join("b" * 30)})"'
    ((path, message),) = problems(RECKONED.format(more=grown))
    assert path == "options.b"
    assert message.startswith("the result must be a finite number of at most 1e+15")


def test_a_parameter_reckoned_from_itself_is_told_where_it_stands() -> None:
    text = RECKONED.format(more="k: 1").replace("twice: $(2 * size)", "twice: $thrice, thrice: $twice")
    with pytest.raises(cs.CircuitError) as caught:
        cs.loads(text)
    assert [(p.path, p.message) for p in caught.value.problems] == [
        ("blocks.layer.parameters.twice", "'twice' may not be reckoned from itself by way of 'thrice'")
    ]


@pytest.mark.parametrize(
    ("circuit", "options", "told"),
    [
        ("resnet18", {"width": -1}, r"option width: must be at least 1 \(got -64\); seen at .*resnet.yaml:.* 17 more"),
        ("resnet18", {"stem": "huge", "classes": 3}, "option stem: unknown block 'huge'. blocks: large, small, .*"),
        ("lenet", {"size": [1, 4, 4]}, "option size: conv 'kernel' .* must fit into the padded source .*"),
        ("mlp", {"depth": 2.5}, r"option depth: must be a whole number \(got 2.5\); seen at .*mlp.yaml:.*repeat"),
        ("mlp", {"depth": 0, "width": 0}, "option depth, width: .*"),
        ("mlp", {"depht": 3}, "option depht: unknown option 'depht'. Did you mean 'depth'.*"),
        ("mlp", {"depth": "$(depth + 1)"}, "option depth: 'depth' may not be reckoned from itself"),
    ],
)
def test_a_wrong_option_is_told_once_and_by_name(circuit: str, options: dict[str, object], told: str) -> None:
    with pytest.raises(cs.CircuitError) as caught:
        cs.load(circuit, options=options)
    assert re.fullmatch(told, str(caught.value))


def test_options_are_not_blamed_for_what_is_wrong_without_them() -> None:
    with pytest.raises(cs.CircuitError, match=r"^<circuit>:14:49: .*dense.size: must be"):
        cs.loads(RECKONED.format(more="k: 1").replace("size: $n", "size: none"), options={"m": 3})
