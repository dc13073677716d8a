"""Keys: made once, readable by their owner alone, never printed."""

import os
from pathlib import Path

import pytest

from host.errors import AlreadyThere, KeyMissing
from host.keys import IDENTITY_SIZE, SiteKeys, create_site_key, create_web_token, load_site_keys, load_web_token, write_secret
from protocol.crc import crc16


def test_a_site_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    create_site_key(tmp_path)
    path = tmp_path / "keys" / "site.key"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777, len(path.read_bytes())) == (0o600, 0o700, 16)
    with pytest.raises(AlreadyThere):
        create_site_key(tmp_path)


def test_a_missing_key_is_said_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="onecard init"):
        load_site_keys(tmp_path)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    create_site_key(tmp_path)
    (tmp_path / "keys" / "site.key").chmod(0o644)
    with pytest.raises(KeyMissing, match="chmod 600"):
        load_site_keys(tmp_path)


def test_a_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(KeyMissing, match="15 bytes"):
        SiteKeys(bytes(15))


def test_no_key_is_in_a_representation() -> None:
    assert repr(SiteKeys(bytes(range(16)))) == "SiteKeys()"


def test_the_web_token_is_long_and_private(tmp_path: Path) -> None:
    create_web_token(tmp_path)
    assert len(load_web_token(tmp_path)) >= 40
    assert (tmp_path / "keys" / "web.token").stat().st_mode & 0o777 == 0o600


def test_terminals_and_cards_have_keys_of_their_own() -> None:
    keys = SiteKeys(bytes(range(16)))
    made = [keys.link_key(100, 1), keys.link_key(101, 1), keys.link_key(100, 2), keys.record_key(100, 1), keys.card_key(1)]
    made += [keys.sector_key(b"\1\2\3\4", 1, which, 1) for which in "AB"] + [keys.sector_key(b"\1\2\3\5", 1, "A", 1)]
    assert len(set(made)) == len(made)


def test_an_identity_is_laid_out_as_the_board_reads_it() -> None:
    keys = SiteKeys(bytes(range(16)))
    identity = keys.identity(258, 7, 1)
    assert len(identity) == IDENTITY_SIZE == 38
    assert identity[:3] == b"\x02\x01\x07"
    assert identity[3:19] == keys.link_key(258, 1)
    assert identity[19:35] == keys.record_key(258, 1)
    assert identity[35] == 1
    assert int.from_bytes(identity[36:], "little") == crc16(identity[:36])


def test_a_secret_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_secret(path, b"one")
    (tmp_path / "secret.new").write_bytes(b"left over by a cut")
    write_secret(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["secret"]
