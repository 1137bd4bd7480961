"""Arrays one after the other in a file: mapped, aligned, readable by NumPy alone, refused where not whole."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from counterstream.engine.data.images import stacked

arrays = st.dictionaries(
    st.text("abc", min_size=1),
    st.sampled_from([np.uint8, np.int32, np.int64, np.float32]).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=9))
    ),
    max_size=4,
)


@settings(max_examples=30)
@given(arrays=arrays)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, arrays: dict[str, np.ndarray]) -> None:
    path = tmp_path_factory.mktemp("stacked") / "file"
    stacked.write(path, arrays, {"said": [1, "x"]})
    found = stacked.opened(path)
    assert dict(found.notes) == {"said": [1, "x"]}
    assert list(found.arrays) == list(arrays)
    for name, array in arrays.items():
        assert found.arrays[name].dtype == array.dtype
        assert np.array_equal(found.arrays[name], array, equal_nan=array.dtype.kind == "f")
        assert found.arrays[name].flags.aligned


def test_numpy_alone_reads_it(tmp_path: Path) -> None:
    stacked.write(tmp_path / "file", {"a": np.arange(5), "b": np.ones((2, 3), np.uint8)}, {})
    with (tmp_path / "file").open("rb") as file:
        assert np.load(file).tolist() == [0, 1, 2, 3, 4]
        assert np.load(file).shape == (2, 3)
        assert b'"arrays"' in bytes(np.load(file))


def test_any_part_of_a_file_is_refused(tmp_path: Path) -> None:
    stacked.write(tmp_path / "file", {"a": np.arange(5), "b": np.ones((2, 3))}, {"n": 1})
    whole = (tmp_path / "file").read_bytes()
    for end in range(0, len(whole), 5):
        (tmp_path / "part").write_bytes(whole[:end])
        with pytest.raises(stacked.NotStacked):
            stacked.opened(tmp_path / "part")


def test_nothing_is_left_of_a_file_that_failed(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        stacked.write(tmp_path / "file", {}, {"not JSON": object()})
    assert not list(tmp_path.iterdir())
