"""No two things have one key."""

from host.crypto import HostCrypto
from protocol import keys

CRYPTO = HostCrypto()
SITE = bytes(range(16))


def test_keys_differ_by_purpose_terminal_and_version():
    made = [
        *[keys.link_key(CRYPTO, SITE, terminal, version) for terminal in (1, 100, 256, 65535) for version in (1, 2)],
        *[keys.record_key(CRYPTO, SITE, terminal, version) for terminal in (1, 100, 256, 65535) for version in (1, 2)],
        *[keys.card_key(CRYPTO, SITE, version) for version in (1, 2)],
    ]
    assert len(set(made)) == len(made)


def test_a_cards_keys_differ_by_card_sector_and_letter():
    card_key = keys.card_key(CRYPTO, SITE, 1)
    uids = (b"\x01\x02\x03\x04", b"\x01\x02\x03\x05", b"\x01\x02\x03\x04\x05\x06\x07")
    made = [keys.sector_key(CRYPTO, card_key, uid, sector, which) for uid in uids for sector in (0, 1) for which in "AB"]
    assert len(set(made)) == len(made)
    assert all(len(key) == 6 for key in made)
    assert len({keys.mac_key(CRYPTO, card_key, uid) for uid in uids}) == len(uids)


def test_a_codes_hash_says_nothing_under_another_devices_key():
    one, other = CRYPTO.cmac(bytes(16)), CRYPTO.cmac(bytes([1] * 16))
    assert len(keys.code_hash(one, b"123456")) == 8
    assert keys.code_hash(one, b"123456") != keys.code_hash(other, b"123456")
