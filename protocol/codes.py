"""The one table of error codes, shown as E01, E02, ... on displays, in records, on pages and in the manual.

Each has a name, a line that says what is wrong, and a line that says what to do. Both are GB2312
and at most 16 half-width columns, one line of the display.
"""

from .compat import const, gb

CARD_UNKNOWN = const(1)
CARD_DENIED = const(2)
CARD_UNREADABLE = const(3)
TWO_CARDS = const(4)
CARD_EXPIRED = const(5)
BALANCE_LOW = const(6)
AMOUNT_ZERO = const(7)
AMOUNT_TOO_LARGE = const(8)
CODE_WRONG = const(9)
CODE_ELSEWHERE = const(10)
CODE_LOCKED = const(11)
HOST_AWAY = const(12)
CLOSED = const(13)
BUSY = const(14)
READER_FAULT = const(15)
JOURNAL_FULL = const(16)
NOT_CONFIGURED = const(17)
REFUSED = const(18)
CARD_MOVED = const(19)

NAMES = {
    CARD_UNKNOWN: "card_unknown",
    CARD_DENIED: "card_denied",
    CARD_UNREADABLE: "card_unreadable",
    TWO_CARDS: "two_cards",
    CARD_EXPIRED: "card_expired",
    BALANCE_LOW: "balance_low",
    AMOUNT_ZERO: "amount_zero",
    AMOUNT_TOO_LARGE: "amount_too_large",
    CODE_WRONG: "code_wrong",
    CODE_ELSEWHERE: "code_elsewhere",
    CODE_LOCKED: "code_locked",
    HOST_AWAY: "host_away",
    CLOSED: "closed",
    BUSY: "busy",
    READER_FAULT: "reader_fault",
    JOURNAL_FULL: "journal_full",
    NOT_CONFIGURED: "not_configured",
    REFUSED: "refused",
    CARD_MOVED: "card_moved",
}

# What is wrong, and what to do: one text for both, since a board keeps every text on its heap.
_TEXTS = {
    CARD_UNKNOWN: gb("未知卡/请到卡务中心"),
    CARD_DENIED: gb("此卡已停用/请到卡务中心"),
    CARD_UNREADABLE: gb("读卡失败/请重新放卡"),
    TWO_CARDS: gb("有多张卡/请只放一张卡"),
    CARD_EXPIRED: gb("此卡已过期/请到卡务中心"),
    BALANCE_LOW: gb("余额不足/请先充值"),
    AMOUNT_ZERO: gb("金额为零/请输入金额"),
    AMOUNT_TOO_LARGE: gb("金额超限/请重新输入"),
    CODE_WRONG: gb("预约码错误/请重新输入"),
    CODE_ELSEWHERE: gb("预约在别处/请到预约的位置"),
    CODE_LOCKED: gb("错误次数过多/请60秒后再试"),
    HOST_AWAY: gb("网络中断/请稍后再试"),
    CLOSED: gb("本笔已关闭/请重新开始"),
    BUSY: gb("您在别处洗浴中/请先结束那一次"),
    READER_FAULT: gb("读卡器故障/请联系管理员"),
    JOURNAL_FULL: gb("存储已满/请联系管理员"),
    NOT_CONFIGURED: gb("设备未配置/请联系管理员"),
    REFUSED: gb("交易被拒绝/请到卡务中心"),
    CARD_MOVED: gb("卡移动过快/请重放同一张卡"),
}


def texts(code: int) -> "tuple[bytes, bytes]":
    """Return what is wrong, and what to do. A code from a newer host says only that it was refused."""
    what, remedy = _TEXTS.get(code, _TEXTS[REFUSED]).split(b"/")
    return what, remedy


def label(code: int) -> str:
    """Return how a code is shown: "E01"."""
    return f"E{code:02d}"
