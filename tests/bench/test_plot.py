"""Charts: well-formed, in scale, and saying what they show."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from bench.plot import Chart, Line

SVG = "{http://www.w3.org/2000/svg}"


def chart(*lines: Line) -> ElementTree.Element:
    return ElementTree.fromstring(Chart("速度 Rate", "note", "批量 batch", "每秒 a second", lines).svg())


def test_chart_names_its_lines_and_axes() -> None:
    drawn = chart(Line("我们 ours", [(1, 10), (1000, 90_000)]), Line("a < b", [(1, 20)]))
    texts = [element.text for element in drawn.iter(f"{SVG}text")]
    assert {"速度 Rate", "批量 batch", "每秒 a second", "我们 ours", "a < b", "1 k", "20 k"} <= set(texts)


def test_equal_factors_are_equally_wide() -> None:
    drawn = chart(Line("ours", [(1, 1), (10, 1), (100, 1)]))
    xs = [float(element.attrib["cx"]) for element in drawn.iter(f"{SVG}circle")]
    assert abs((xs[1] - xs[0]) - (xs[2] - xs[1])) < 0.2


@given(st.lists(st.tuples(st.floats(1, 1e7), st.floats(0.001, 1e9)), min_size=1, max_size=20))
def test_every_point_lies_on_the_picture(points: list[tuple[float, float]]) -> None:
    drawn = chart(Line("ours", sorted(points)))
    _, _, width, height = (float(number) for number in drawn.attrib["viewBox"].split())
    for element in drawn.iter(f"{SVG}circle"):
        assert 0 < float(element.attrib["cx"]) < width
        assert 0 < float(element.attrib["cy"]) < height
