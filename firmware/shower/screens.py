"""What the stall shows, to somebody wet who reads no manual: four rows of Chinese."""

from firmware.shower import states
from firmware.terminal.rows import BLANK, litres, reason_rows, row, yuan
from protocol import codes, shown
from protocol.compat import const, gb

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.shower.stall import Stall

# Reasons of the stall's own, beside protocol/codes.py: no faults, so they have no number there.
NO_TIME = const(-1)  # the clock was never set, and a booking hangs on it
TOO_EARLY = const(-2)
TOO_LATE = const(-3)
NOT_DOWN_YET = const(-4)  # the host knows the code as ours, but has not handed it down yet
PUT_IN_AGAIN = const(-5)

_REASONS = {
    NO_TIME: gb("时间未校准/请稍后再试"),
    TOO_EARLY: gb("未到预约时间/请稍后再来"),
    TOO_LATE: gb("预约已过期/请重新预约"),
    NOT_DOWN_YET: gb("预约正在下发/请稍后再输入"),
    PUT_IN_AGAIN: gb("设备刚启动/请取出卡再放入"),
}

# Notices, for the last row.
SIX_DIGITS = gb("请输入六位数字")
TAKE_CARD_TO_END = gb("拔卡即可结束")
END_AGAIN = gb("再按一次结束")
CHECKING_CARD = gb("正在核对卡片")
STALL_TAKEN = gb("此位使用中")
HOST_AWAY = gb("网络中断双击结束")

_CAUSES = {
    shown.CAUSE_ENDED: gb("用水结束"),
    shown.CAUSE_MONEY: gb("预扣用完已停水"),
    shown.CAUSE_PAUSE: gb("超时已结束"),
}

_TAKE_CARD = gb("请取走卡片")


def compose(stall: "Stall") -> "tuple[bytes, bytes, bytes, bytes]":
    """Return the four rows for a stall as it stands; a notice takes the last."""
    rows = _SCREENS[stall.state](stall)
    return rows if stall.notice is None else (rows[0], rows[1], rows[2], row(stall.notice))


def _starting(stall: "Stall"):
    resumed = BLANK if stall.resumed_fen is None else _money(gb("上次扣款"), stall.resumed_fen)
    return _place(stall), row(gb("正在启动")), resumed, BLANK


def _idle(stall: "Stall"):
    is_up, is_stuck = stall.in_force.link_is_up, stall.in_force.is_key_stuck
    only_code = gb("按键故障") if is_stuck else gb("仅限预约码")
    offline = row(gb("脱机"), only_code)
    if stall.is_reader_faulty:
        what, remedy = reason_rows(codes.READER_FAULT)
        return _place(stall), what, remedy, row(only_code) if is_up else offline
    return _place(stall), row(gb("请插卡")), row(only_code if is_stuck else gb("或输入预约码")), BLANK if is_up else offline


def _typing(stall: "Stall"):
    return row(gb("预约码"), stall.code.digits), BLANK, row(gb("按确认键开始")), row(gb("清除键重输"))


def _checking(stall: "Stall"):
    return row(gb("预约码"), stall.code.digits), row(gb("正在核对")), row(gb("请稍候")), BLANK


def _asking(stall: "Stall"):
    return _place(stall), row(gb("正在核对卡片")), row(gb("请勿拔卡")), BLANK


def _running(stall: "Stall"):
    if stall.session.funds.is_warned:
        hint = row(gb("预扣将尽请冲净"))
    elif stall.session.is_by_code:
        hint = row(gb("确认暂停双击结束"))
    else:
        hint = row(gb("确认暂停拔卡结束"))
    return _water(stall, gb("用水中")), _money(gb("已用"), stall.session.charge_fen), _left(stall), hint


def _paused(stall: "Stall"):
    hint = gb("确认继续双击结束") if stall.session.is_by_code else gb("确认继续拔卡结束")
    return _water(stall, gb("已暂停")), _money(gb("已用"), stall.session.charge_fen), _left(stall), row(hint)


def _settling(stall: "Stall"):
    return _water(stall, gb("正在结算")), _money(gb("已用"), stall.session.charge_fen), BLANK, BLANK


def _summary(stall: "Stall"):
    session = stall.session
    if stall.has_card:
        last = row(_TAKE_CARD)
    else:
        last = row(gb("欢迎再来")) if session.left_fen is None else _left(stall)
    return row(_CAUSES[session.cause]), _water(stall, gb("用水")), _money(gb("扣款"), session.charge_fen), last


def _refused(stall: "Stall"):
    code = stall.reason
    what, remedy = codes.texts(code) if code > 0 else _REASONS[code].split(b"/")
    third = BLANK
    if code == codes.BALANCE_LOW:
        third = _money(gb("差"), stall.lacking_fen)
    elif code in (codes.BUSY, codes.CODE_ELSEWHERE):
        third = row(stall.place)
    number = codes.label(code).encode() if code > 0 else b""
    return row(what), row(remedy), third, row(_TAKE_CARD if stall.has_card else b"", number)


def _place(stall: "Stall") -> bytes:
    settings = stall.in_force.settings
    return row(gb("校园一卡通") if settings is None else settings.place)


def _water(stall: "Stall", word: bytes) -> bytes:
    return row(word, litres(stall.session.usage.volume_ml) + gb("升"))


def _left(stall: "Stall") -> bytes:
    """What the holder has left, the rest of the hold included; before that is known, what is held."""
    left_fen = stall.session.left_fen
    return _money(gb("预扣"), stall.session.funds.held_fen) if left_fen is None else _money(gb("余额"), left_fen)


def _money(word: bytes, fen: int) -> bytes:
    return row(word, yuan(fen) + gb("元"))


_SCREENS = {
    states.STARTING: _starting,
    states.IDLE: _idle,
    states.TYPING: _typing,
    states.CHECKING: _checking,
    states.ASKING: _asking,
    states.OPENING: _asking,
    states.RUNNING: _running,
    states.PAUSED: _paused,
    states.SETTLING: _settling,
    states.SUMMARY: _summary,
    states.REFUSED: _refused,
}
