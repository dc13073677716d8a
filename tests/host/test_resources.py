"""What is handed down: versions that grow with the content, digests that hold, chunks that make the whole."""

import hashlib
from dataclasses import replace

from host import reservations, resources
from host.settings import Settings, Tariff
from protocol.messages import CHUNK_SIZE_MAX, RESERVATIONS, SETTINGS, TARIFF, Fetch, Offer
from protocol.packing import unpack
from tests.host.site import KEYS, NOW_S, SHOWER, TILL, Site


def fetch(site: Site, terminal: int, offer: Offer) -> bytes:
    content = b""
    while len(content) < offer.size:
        piece = resources.chunk(site.ledger, terminal, Fetch(offer.resource, offer.version, len(content))).data
        assert 0 < len(piece) <= CHUNK_SIZE_MAX
        content += piece
    return content


def test_every_resource_of_a_shower_can_be_fetched_whole(site: Site) -> None:
    offers = resources.offers(site.ledger, SHOWER)
    assert [offer.resource for offer in offers] == [SETTINGS, TARIFF, RESERVATIONS]
    for offer in offers:
        assert hashlib.sha256(fetch(site, SHOWER, offer)).digest() == offer.digest


def test_a_list_of_many_bookings_comes_in_several_chunks(site: Site) -> None:
    for index in range(12):
        reservations.book(site.ledger, "20260001", SHOWER, NOW_S + 1_800 * index, NOW_S + 1_800 * (index + 1), 100)
    offer = resources.offers(site.ledger, SHOWER)[2]
    assert offer.size > CHUNK_SIZE_MAX
    assert len(unpack(fetch(site, SHOWER, offer))[1]) == 12


def test_the_settings_are_as_the_protocol_lays_them_out(site: Site) -> None:
    layout, place, key, key_version, number, *rest = unpack(fetch(site, TILL, resources.offers(site.ledger, TILL)[0]))
    assert (layout, place.decode("gb2312"), key, key_version, number) == (1, "第一食堂 03 窗口", KEYS.card_key(1), 1, 2)
    assert rest == [5_000, 300, 50, 2_000, 450, 450, 300]


def test_a_version_grows_only_when_the_content_changes(site: Site) -> None:
    first = resources.offers(site.ledger, SHOWER)
    assert resources.offers(site.ledger, SHOWER) == first
    site.reopen()
    assert resources.offers(site.ledger, SHOWER) == first
    site.settings = replace(Settings(), tariff=Tariff(cold_fen_per_m3=999))
    site.reopen()
    second = resources.offers(site.ledger, SHOWER)
    assert [offer.version for offer in second] == [1, 2, 1]
    assert unpack(fetch(site, SHOWER, second[1])) == [1, 999, 3_500]


def test_a_version_that_was_overtaken_is_answered_with_an_empty_chunk(site: Site) -> None:
    offer = resources.offers(site.ledger, SHOWER)[2]
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 100)
    assert resources.chunk(site.ledger, SHOWER, Fetch(RESERVATIONS, offer.version, 0)).data == b""


def test_what_is_not_there_is_an_empty_chunk(site: Site) -> None:
    offer = resources.offers(site.ledger, TILL)[0]
    for wanted in (Fetch(SETTINGS, 99, 0), Fetch(SETTINGS, offer.version, offer.size), Fetch(77, 1, 0), Fetch(TARIFF, 1, 0)):
        assert resources.chunk(site.ledger, TILL, wanted).data == b""


def test_no_card_key_lies_in_the_ledger(site: Site) -> None:
    resources.offers(site.ledger, SHOWER)
    site.ledger.close()
    files = site.stored()
    assert KEYS.card_key(1) not in files
