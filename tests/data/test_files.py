import hashlib

import pytest
from pydantic import ValidationError

from vcycle.data.files import checksum, move, read_record, write_record
from vcycle.data.schema import DataError, Failure


def test_checksum_is_sha256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert checksum(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_move_replaces_what_is_there(tmp_path):
    (tmp_path / "new").write_text("new")
    (tmp_path / "old").write_text("old")
    move(tmp_path / "new", tmp_path / "old")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "new")]


def test_a_record_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "record.json"
    write_record(Failure(index=1, reason="first"), file)
    monkeypatch.setattr("vcycle.data.files.move", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_record(Failure(index=2, reason="second"), file)
    assert Failure.model_validate_json(file.read_bytes()) == Failure(index=1, reason="first")


def test_damaged_records_are_told_from_those_of_another_kind(tmp_path):
    file = tmp_path / "record.json"
    write_record(Failure(index=1, reason="first"), file)
    assert read_record(file, Failure) == Failure(index=1, reason="first")
    file.write_bytes(file.read_bytes()[:10])
    with pytest.raises(DataError, match=r"record.json is damaged \(it is no JSON any more\): copy it back, or remove"):
        read_record(file, Failure)
    file.write_text("{}")
    with pytest.raises(ValidationError):
        read_record(file, Failure)
