"""What the till shows, for the cashier and the student: four rows of Chinese."""

from firmware.pos.states import ASKING, IDLE, PAID, REFUSED, TYPING, WAITING, WRITING
from firmware.terminal.rows import BLANK, reason_rows, row, yuan
from protocol import codes
from protocol.compat import const, gb

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.pos.sale import Sale

# A reason of the till's own, beside protocol/codes.py: no error, so it has no number there.
CHARGED_BEFORE = const(0)

_CANCEL = gb("清除键取消")
_CHARGED = gb("刚已扣款")
_TAKE_OFF = gb("请拿开卡")


def compose(sale: "Sale") -> "tuple[bytes, bytes, bytes, bytes]":
    """Return the four rows for a sale as it stands; a notice takes the last two."""
    rows = _SCREENS[sale.state](sale)
    if sale.notice is None:
        return rows
    what, remedy = (row(_CHARGED), row(_TAKE_OFF)) if sale.notice == CHARGED_BEFORE else reason_rows(sale.notice)
    return rows[0], rows[1], what, remedy


def _idle(sale: "Sale"):
    settings = sale.in_force.settings
    place = gb("校园一卡通") if settings is None else settings.place
    last = BLANK if sale.in_force.link_is_up else _offline()
    if sale.is_reader_faulty:
        what, remedy = reason_rows(codes.READER_FAULT)
        return row(place), what, remedy, last
    return row(place), row(gb("请输入金额")), row(gb("按键故障")) if sale.in_force.is_key_stuck else BLANK, last


def _typing(sale: "Sale"):
    return row(gb("金额"), sale.entry.term), _money(gb("合计"), sale.entry.total_fen), BLANK, row(gb("按确认键收款"))


def _waiting(sale: "Sale"):
    hint = row(gb("请拿开卡再刷")) if sale.has_card else BLANK
    return _due(sale), row(gb("请刷卡")), hint, row(_CANCEL) if sale.in_force.link_is_up else _offline()


def _asking(sale: "Sale"):
    return _due(sale), row(gb("正在扣款")), row(gb("请稍候")), row(_CANCEL)


def _writing(sale: "Sale"):
    return _due(sale), row(gb("正在扣款")), row(gb("请稍候")), BLANK


def _paid(sale: "Sale"):
    answer = sale.answer
    assert answer is not None
    return (
        _money(gb("已付"), sale.amount_fen),
        row(answer.text),
        _money(gb("账户"), answer.account_fen),
        _money(gb("卡上"), answer.purse_fen),
    )


def _refused(sale: "Sale"):
    what, remedy = (_CHARGED, _TAKE_OFF) if sale.code == CHARGED_BEFORE else codes.texts(sale.code)
    third = _money(gb("差"), sale.lacking_fen) if sale.code == codes.BALANCE_LOW else row(remedy)
    return _due(sale), row(what), third, row(_CANCEL, codes.label(sale.code).encode() if sale.code else b"")


def _offline() -> bytes:
    return row(gb("脱机"), gb("暂不收款"))


def _due(sale: "Sale") -> bytes:
    return _money(gb("应收"), sale.amount_fen)


def _money(word: bytes, fen: int) -> bytes:
    return row(word, yuan(fen) + gb("元"))


_SCREENS = {
    IDLE: _idle,
    TYPING: _typing,
    WAITING: _waiting,
    ASKING: _asking,
    WRITING: _writing,
    PAID: _paid,
    REFUSED: _refused,
}
