from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pytest_ethrex_perf.embedded import identity as module
from pytest_ethrex_perf.embedded.identity import available, identity, require
from pytest_ethrex_perf.errors import UsageError


def test_the_identity_is_a_sha256_that_does_not_change() -> None:
    assert identity() == identity()
    assert len(bytes.fromhex(identity())) == 32


def test_arguments_belong_to_the_identity() -> None:
    identities = {
        identity(arguments)
        for arguments in ((), ("--extra-work", "15"), ("--extra-work", "16"), ("--extra-work15",))
    }
    assert len(identities) == 4


def test_sources_belong_to_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in Path(module.__file__).parent.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    monkeypatch.setattr(module, "__file__", str(tmp_path / "identity.py"))
    before = identity()
    (tmp_path / "pipeline.py").write_text("changed")
    assert identity() != before


def test_whatever_of_the_package_the_program_runs_belongs_to_the_identity() -> None:
    code = (
        "import sys; from pytest_ethrex_perf.embedded import devblock, pipeline, program;"
        "from pytest_ethrex_perf.embedded.recipe import Recipe; devblock.make(Recipe(txs=1));"
        "print(*(name for name in sys.modules if name.startswith('pytest_ethrex_perf.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    shared = {f"pytest_ethrex_perf.records.{shared.__name__.rpartition('.')[2]}" for shared in module.SHARED}
    idle = {"pytest_ethrex_perf.errors", "pytest_ethrex_perf.records"}
    others = {name for name in loaded.split() if not name.startswith("pytest_ethrex_perf.embedded")}
    assert others == shared | idle


def test_shared_sources_belong_to_the_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity()
    for shared in module.SHARED:
        with monkeypatch.context() as patch:
            (tmp_path / "changed.py").write_text("changed")
            patch.setattr(shared, "__file__", str(tmp_path / "changed.py"))
            assert identity() != before


@pytest.mark.parametrize("name", ["version", "python_version"])
def test_versions_belong_to_the_identity(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = identity()
    monkeypatch.setattr(metadata if name == "version" else platform, name, lambda *_: "9.9")
    assert identity() != before


def test_without_the_specs_the_command_that_helps_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    assert available()
    monkeypatch.setattr(metadata, "version", missing)
    assert not available()
    for refused in (require, identity):
        with pytest.raises(
            UsageError, match=r"pip install 'pytest-ethrex-perf\[embedded\]'.*3\.11 and 3\.12"
        ):
            refused()


def test_knowing_the_identity_imports_no_specs() -> None:
    code = (
        "import sys; from pytest_ethrex_perf.embedded import bundled, devblock, identity;"
        "identity.identity();"
        "sys.exit(any(name.split('.')[0] in {'ethereum', 'ethereum_types', 'coincurve', 'numpy', 'Crypto'}"
        " for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_blocks_fork_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; from pytest_ethrex_perf.embedded import forks; forks.load('hoodi', 1_750_000_000);"
        "others = ('osaka', 'bpo1', 'bpo2', 'cancun');"
        "sys.exit(any(f'ethereum.forks.{fork}.vm' in sys.modules for fork in others))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path).returncode == 0


def test_a_fork_that_is_imported_anew_is_prepared_anew(tmp_path: Path) -> None:
    code = (
        "import sys; from pytest_ethrex_perf.embedded import forks; forks.load('hoodi', 1_750_000_000);"
        "prague = [name for name in sys.modules if name.startswith('ethereum.forks.prague')];"
        "[sys.modules.pop(name) for name in prague];"  # as pytester does after a run in its own process
        "from pytest_ethrex_perf.embedded import state;"
        "again = forks.load('hoodi', 1_750_000_000);"
        "sys.exit(again.rules.TransientStorage is not state.TransientStorage)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path).returncode == 0
