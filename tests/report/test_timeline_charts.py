import re
from datetime import timedelta

from pytest_ethrex_perf.report.timeline_charts import Dot, Mark, Shift, course, small
from tests.baseline.years import START

DOTS = [Dot(START + timedelta(days=day), 60e6 if day < 50 else 66e6) for day in range(100)]
MIDDLE = START + timedelta(days=50)
SHIFT = Shift(MIDDLE - timedelta(days=1), MIDDLE, (MIDDLE,), "regression")


def test_each_level_has_a_line_and_each_change_a_band() -> None:
    drawing = course(DOTS, [SHIFT], [], "exec", "ns")
    heights = re.findall(r'class="level" d="M[\d.]+ ([\d.]+)L[\d.]+ ([\d.]+)"', drawing)
    assert len(heights) == 2
    assert [first == last for first, last in heights] == [True, True]
    assert float(heights[0][0]) > float(heights[1][0])  # slower is higher
    assert drawing.count('class="shift regression"') == 1
    assert drawing.count("h0") == 100


def test_marks_are_drawn_and_named_as_far_as_there_is_room() -> None:
    marks = [Mark(MIDDLE + timedelta(hours=hour), "release", f"v{hour}.0.0") for hour in range(5)]
    drawing = course(DOTS, [], [*marks, Mark(START - timedelta(days=9), "epoch", "before")], "exec", "ns")
    assert drawing.count('class="release"') == 5
    assert drawing.count('class="band"') == 2
    assert "before" not in drawing


def test_a_day_is_named_once_however_short_the_time() -> None:
    dots = [dot for dot in DOTS if dot.at < START + timedelta(days=2)]
    days = re.findall(r'class="tick x"[^>]*>([^<]+)<', course(dots, [], [], "exec", "ns"))
    assert len(days) == len(set(days)) > 1


def test_a_small_course_has_few_points_and_a_name() -> None:
    drawing = small(DOTS, "course of exec: 100 sessions")
    assert 'aria-label="course of exec: 100 sessions"' in drawing
    assert drawing.count("L") <= 60
    assert "nan" not in small(DOTS[:1], "one")
