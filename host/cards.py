"""Cards: issued, encoded, denied."""

from dataclasses import replace

from host.errors import AlreadyThere, InvalidValue, NotFound
from host.holders import need_holder, new_account
from host.keys import KEY_VERSION
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.kinds import AccountKind
from host.ledger.rows import Card, Restore
from host.restoring import refuse_while_waiting
from protocol.card import EXPIRY_NONE, SECTOR, Identity, new_card

IMAGE_SIZE = 1024
"""MIFARE Classic 1K: 16 sectors of 4 blocks of 16 bytes."""

_BLOCK_SIZE = 16
_SECTOR_SIZE = 4 * _BLOCK_SIZE
_TRANSPORT_TRAILER = b"\xff" * 6 + b"\xff\x07\x80\x69" + b"\xff" * 6
"""Keys and access bits as a card comes from the factory."""
_SAK_AND_ATQA = b"\x08\x04\x00"
_NO_UIDS = (bytes(4), b"\xff" * 4, bytes(7), b"\xff" * 7)
_RANDOM_UID_FIRST = 0x08
"""Phones and some cards make up a new UID of 4 bytes each time; it begins so (ISO 14443-3)."""


def add(ledger: Ledger, holder_number: str, uid: bytes, expiry_day: int = EXPIRY_NONE) -> Card:
    """Issue a card to a holder; numbers are dense from 1, with a gap at each restore.

    Raises `InvalidValue`, `NotFound`, `AlreadyThere`, `RestoreWaiting`, `LedgerAway`.
    """
    if len(uid) not in (4, 7):
        raise InvalidValue(f"UID {uid.hex()!r}: 4 or 7 bytes, in hexadecimal")
    if uid in _NO_UIDS or (len(uid) == 4 and uid[0] == _RANDOM_UID_FIRST):
        raise InvalidValue(f"UID {uid.hex()} is no fixed UID (a phone?): take a real card")
    if not 0 <= expiry_day <= EXPIRY_NONE:
        raise InvalidValue("有效期不对 the expiry lies between 2020 and 2199")
    return ledger.commit(lambda books: _add(books, holder_number, uid, expiry_day))


def every(ledger: Ledger) -> list[Card]:
    """All cards, by number."""
    return ledger.view(lambda books: books.find(Card))


def deny(ledger: Ledger, number: int, reason: str) -> Card:
    """Deny a card at once to everything that asks. Denying it again changes nothing. Raises `NotFound`, `LedgerAway`."""
    return ledger.commit(lambda books: _deny(books, number, reason))


def allow(ledger: Ledger, number: int, reason: str) -> Card:
    """Let a denied card pay again; one that is not denied stays as it is. Raises `NotFound`, `LedgerAway`."""
    return ledger.commit(lambda books: _allow(books, number, reason))


def image(ledger: Ledger, number: int) -> bytes:
    """The 1024 bytes of a card as issued: sector 1 is ours, the others have transport keys. Raises `NotFound`, `LedgerAway`.

    A commit: whoever takes a card's keys out stands in the audit log.
    """
    return ledger.commit(lambda books: _encode(books, number))


def need_card(books: Books, number: int) -> Card:
    """The card of that number. Raises `NotFound`."""
    card = books.get(Card, number)
    if card is None:
        raise NotFound("卡 card", number, "see `onecard card list`")
    return card


def _add(books: Books, holder_number: str, uid: bytes, expiry_day: int) -> Card:
    holder = need_holder(books, holder_number)
    if books.first(Card, uid=uid) is not None:
        raise AlreadyThere("卡 card with UID", uid.hex())
    refuse_while_waiting(books, "a new card would get a number that was perhaps given before")
    number = max(books.highest(Card, "number") + 1, books.highest(Restore, "next_card"))
    mirror = new_account(books, AccountKind.MIRROR, f"卡 card {number:08d}", owner=holder.account)
    card = Card(number, holder.account, mirror.number, uid, holder.holder_class, expiry_day, KEY_VERSION)
    books.add(card)
    note(books, "card.add", f"{number:08d}", holder=holder_number, uid=uid.hex(), expiry_day=expiry_day)
    return card


def _deny(books: Books, number: int, reason: str) -> Card:
    card = need_card(books, number)
    if card.denied_s is None:
        card = replace(card, denied_s=books.now_s, denied_for=reason)
        books.change(card)
        note(books, "card.deny", f"{number:08d}", reason=reason)
    return card


def _allow(books: Books, number: int, reason: str) -> Card:
    card = need_card(books, number)
    if card.denied_s is not None:
        note(books, "card.allow", f"{number:08d}", reason=reason, was_denied_for=card.denied_for)
        card = replace(card, denied_s=None, denied_for="")
        books.change(card)
    return card


def _encode(books: Books, number: int) -> bytes:
    content = _image(books, need_card(books, number))
    note(books, "card.encode", f"{number:08d}")
    return content


def _image(books: Books, card: Card) -> bytes:
    keys = books.keys
    blocks = new_card(
        Identity(card.number, card.holder_class, card.expiry_day, card.key_version),
        keys.card_cmac(card.uid, card.key_version),
        key_a=keys.sector_key(card.uid, SECTOR, "A", card.key_version),
        key_b=keys.sector_key(card.uid, SECTOR, "B", card.key_version),
    )
    content = bytearray((bytes(3 * _BLOCK_SIZE) + _TRANSPORT_TRAILER) * (IMAGE_SIZE // _SECTOR_SIZE))
    content[:_BLOCK_SIZE] = _manufacturer_block(card.uid)
    content[SECTOR * _SECTOR_SIZE : (SECTOR + 1) * _SECTOR_SIZE] = b"".join(blocks)
    assert len(content) == IMAGE_SIZE
    return bytes(content)


def _manufacturer_block(uid: bytes) -> bytes:
    """Block 0 as it lies on a card: UID, its check byte if it has 4 bytes, SAK, ATQA, zeros (MF1S50, section 8.6.1)."""
    check = bytes([uid[0] ^ uid[1] ^ uid[2] ^ uid[3]]) if len(uid) == 4 else b""
    return (uid + check + _SAK_AND_ATQA).ljust(_BLOCK_SIZE, b"\0")
