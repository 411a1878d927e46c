from pathlib import Path

import jsonschema
import msgspec
import pytest

from pytest_ethrex_perf.baseline.change_points import with_changes
from pytest_ethrex_perf.errors import UsageError
from pytest_ethrex_perf.records import history as records
from pytest_ethrex_perf.records.history import Release
from tests.baseline import years

DOCS = Path(__file__).parents[2] / "docs"
HISTORY = msgspec.structs.replace(
    years.history(with_changes(years.year((90, 8), nights=120, epochs=[(95, "agreed upon")]), ["exec"])),
    releases=(Release(name="v1", date=years.START.isoformat(), commit="ab" * 20),),
)


def test_what_is_written_is_read_and_fits_its_schema(tmp_path: Path) -> None:
    file = tmp_path / "h.json"
    for history in (HISTORY, years.history(), years.history(*HISTORY.blocks, *HISTORY.blocks)):
        file.write_bytes(records.dump(history))
        assert records.load(file) == history
        jsonschema.validate(msgspec.json.decode(file.read_bytes()), msgspec.json.decode(schema()))


def schema() -> str:
    return records.json_schema_text()


def test_the_schema_in_docs_is_that_of_the_records() -> None:
    text = (DOCS / "history.schema.json").read_text(encoding="utf-8")
    assert text == schema(), "run: ethrex-perf history --schema > docs/history.schema.json"


def test_a_session_has_a_line() -> None:
    assert records.dump(HISTORY).count(b"\n") == 120 + 1 + 1  # the change has one, too


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"schema": 1, "version": "1", "blocks": [{}]}', b'{"version": "1"}', b"[" * 5000],
)
def test_what_is_no_history_is_one_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "h.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"h\.json: ") as failure:
        records.load(file)
    assert "\n" not in str(failure.value)


def test_results_are_none(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text('{"schema": 2, "version": "0.1.0", "started": "2026-01-01T00:00:00+00:00", "blocks": []}')
    assert records.load(file) is None
