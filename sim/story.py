"""The story: what a student, a teacher and a cashier do in a few minutes, played on keys and cards, told a line at a time.

Nothing is taken on trust: each step waits for what the display says, each charge for its movement in the books.
"""

import re
from collections.abc import Callable

from host.errors import OnecardError
from host.ledger.reports import yuan
from sim.demo import FIRST_TERMINAL, Demo
from sim.sample import PEOPLE, SHOWER, TILL, Person
from sim.visitor import NotSeen, Visitor

PRICE_FEN = 1_250
LEAST_FEN = 5_000
"""Somebody with less is given money first, so that the story can be played again and again."""

RIGHT = "账本正确"
"""What `onecard check` ends with when the books are right."""

_BOOKED_S = 20.0
"""How long a record may take into the books, in real seconds: the line is slow, and so is a disk."""

_TRIES = 20
_PASSING = ("网络中断", "读卡失败", "读卡器故障")
"""What a terminal says when its host, or its reader, did not answer in time."""

_ABOUT_CODES = ("用水中", "正在下发")
_OPEN_BOOKING = re.compile(r"^ *(\d{6}) .* open$", re.MULTILINE)
_NEW_CODE = re.compile(r"\b\d{6}\b")


class StoryFailed(OnecardError):
    """A step did not bring what it should have; the message says which, and what the display shows."""


class Story:
    """Plays on a running `Demo`; `say` is told each line."""

    def __init__(self, demo: Demo, say: Callable[[str], None]) -> None:
        self._demo = demo
        self._say = say
        self._shower = Visitor(demo.boards["shower"])
        self._till = Visitor(demo.boards["pos"])

    def play(self) -> None:
        """Play every act. Raises `StoryFailed` at the first step that goes wrong, `HostFailed` for a command."""
        try:
            for act in (
                self.wait_for_devices,
                self.give_money,
                self.shower_by_card,
                self.shower_by_code,
                self.sale,
                self.refusal,
                self.proof,
            ):
                act()
        except NotSeen as error:
            raise StoryFailed(f"{error} (logs: {self._demo.host.log}, {self._demo.data / 'boards'}/*.log)") from error

    def wait_for_devices(self) -> None:
        """Both terminals are at rest and have their settings from the host."""
        for visitor, at_rest, place in ((self._shower, "请插卡", SHOWER), (self._till, "请输入金额", TILL)):
            visitor.watch(lambda v=visitor, r=at_rest, p=place: v.shows(r) and v.shows(p.name.split()[0]) and not v.shows("脱机"), at_rest)
            self._say(f"{place.name} 已联机 online: {visitor.read(at_rest)}")

    def give_money(self) -> None:
        """Recharge who is short, so that the next acts can be paid; 李强 stays poor."""
        printed = self._demo.host.command("holder", "list")
        for person in PEOPLE:
            has_fen = _available_fen(printed, person)
            if has_fen < min(person.balance_fen, LEAST_FEN):
                missing = yuan(person.balance_fen - has_fen)
                self._demo.host.command("recharge", person.number, missing)
                self._say(f"{person.name} 充值 recharges {missing} 元")

    def shower_by_card(self) -> None:
        """S1, S2, S3: card in, water, pause, resume, card out."""
        student, stall = PEOPLE[0], self._shower
        self._say("刷卡洗澡 A shower by card")
        before = self._demo.books.commit
        self._present("shower", 1, "用水中", lambda: stall.see("请插卡"))
        self._expect(stall.board.valve_open, stall, "阀门没开 the valve is shut")
        self._run_water(stall, 10)
        self._say(f"  {student.name} 把卡放进卡槽，出水 card in, water runs: {stall.row('已用')}")
        self._run_water(stall, 40)
        stall.press_until(("OK",), "已暂停")
        paused = stall.read("已暂停")
        self._expect(not stall.board.valve_open, stall, "暂停了，阀门还开着 paused, but the valve is open")
        self._say(f"  按“确认”，暂停 OK pauses, the valve is shut: {paused}")
        stall.press_until(("OK",), "用水中")
        self._say(f"  再按“确认”，继续 OK resumes: {stall.row('用水中')}")
        self._run_water(stall, 80)
        out_us = self._demo.clock.now_us()
        self._demo.place_card("shower", 0)
        stall.watch(lambda: not stall.board.valve_open, "阀门关 the valve shut")
        self._say(f"  拔卡，{(stall.valve_us - out_us) // 1000} 毫秒后阀门关 card out, so soon the valve is shut")
        self._tell_charge(stall, student, before)

    def shower_by_code(self) -> None:
        """S4: a booked code, OK, END once, END twice."""
        teacher, stall = PEOPLE[2], self._shower
        self._say("预约码洗澡 A shower by reservation code")
        before = self._demo.books.commit
        code = self._book(teacher)
        stall.see("请插卡")
        self._enter_code(stall, code)
        self._say(f"  输入 {code}，按“确认”，出水 code and OK, water runs: {stall.row('用水中')}，{stall.row('预扣')}")
        self._run_water(stall, 60)
        stall.press_until(("END",), "再按一次结束")
        self._say(f"  按一次“结束”，只提示 END once only says so: {stall.row('再按一次结束')}，{stall.row('已用')}")
        stall.see_not("再按一次结束")
        stall.press_until(("END", "END"), "扣款")
        self._expect(not stall.board.valve_open, stall, "结束了，阀门还开着 ended, but the valve is open")
        self._say("  连按两次“结束”，阀门关 END twice, the valve is shut")
        self._tell_charge(stall, teacher, before)

    def sale(self) -> None:
        """P1: the cashier keys an amount, the student holds the card to the reader."""
        student, till = PEOPLE[0], self._till
        self._say("食堂收款 A sale at the till")
        before = self._demo.books.commit
        self._present("pos", 1, "已付", self._key_price)
        self._till.see_all("已付", "账户")
        self._say(f"  {student.name} 刷卡，已付，两个余额 taps, paid, both balances: {till.read('已付')}")
        self._demo.place_card("pos", 0)
        self._tell_booked("sale", student, PRICE_FEN, before)

    def refusal(self) -> None:
        """P1, refused: a student with 3.20 left."""
        poor, till = PEOPLE[1], self._till
        self._say("余额不足 Too little money")
        before = self._demo.books.commit
        self._present("pos", 2, "余额不足", self._key_price)
        self._say(f"  {poor.name} 刷卡，被拒 taps, refused: {till.read('余额不足')}")
        self._demo.place_card("pos", 0)
        till.press_until(("CLEAR",), "请输入金额")
        taken = [moved for moved in self._demo.books.movements(before) if moved.payer == poor.name]
        self._expect(not taken, till, f"{poor.name} 被扣了款 was charged: {taken}")

    def proof(self) -> None:
        """K1: every balance recomputed from the rows; no hold left."""
        self._say("账本的证明 The proof of the books: onecard check")
        printed = self._demo.host.command("check").rstrip()
        for line in filter(None, printed.splitlines()):
            self._say(f"  {line}")
        if RIGHT not in printed:
            raise StoryFailed("the books are not right")

    # What several acts do.

    def _present(self, place: str, card: int, wanted: str, prepare: Callable[[], None]) -> None:
        """Prepare, lay a card on the reader, and see what is wanted; again when the machine was too busy for its own time-outs."""
        visitor = self._shower if place == "shower" else self._till
        for _ in range(_TRIES):
            prepare()
            self._demo.place_card(place, card)
            visitor.see(wanted, *_PASSING)
            if visitor.shows(wanted):
                return
            self._say(f"  再试一次 once more: {visitor.read(*_PASSING)}")
            self._demo.place_card(place, 0)
        raise StoryFailed(f"{visitor.board.name}: {_TRIES} times {visitor.rows}")

    def _key_price(self) -> None:
        till = self._till
        till.see_not("暂不收款")
        till.enter(yuan(PRICE_FEN), "应收")
        self._say(f"  收银员输入 {yuan(PRICE_FEN)}，按“确认” the cashier keys it, OK: {till.read('请刷卡')}")

    def _book(self, person: Person) -> str:
        """Book the stall and return the code; or what is booked already, by a story that was broken off."""
        command = self._demo.host.command
        found = _OPEN_BOOKING.search(command("reserve", person.number))
        if found is not None:
            self._say(f"  {person.name} 已有预约 has a booking already: {found[1]}")
            return found[1]
        printed = command("reserve", person.number, str(FIRST_TERMINAL)).strip()
        self._say(f"  {person.name} 预约 books: {printed}")
        code = _NEW_CODE.search(printed)
        if code is None:
            raise StoryFailed(f"onecard reserve printed no code: {printed}")
        return code[0]

    def _enter_code(self, stall: Visitor, code: str) -> None:
        """Type the code and OK; the list with it may be a moment on its way, then the display says to try again."""
        for _ in range(_TRIES):
            stall.enter(code, *_ABOUT_CODES)
            if stall.shows("用水中"):
                return
            stall.pause(1)
        raise StoryFailed(f"预约码 {code} 没有到 the code never reached the stall: {stall.rows}")

    def _run_water(self, stall: Visitor, fen: int) -> None:
        """Let water run until the display says that so much was used."""
        stall.watch(lambda: stall.fen("已用") >= fen, f"已用 {yuan(fen)}")

    def _tell_charge(self, stall: Visitor, person: Person, before: int) -> None:
        summary = stall.read("扣款")
        self._say(f"  结算 settled: {summary}")
        self._tell_booked("settled", person, stall.fen("扣款"), before)

    def _tell_booked(self, kind: str, person: Person, amount_fen: int, before: int) -> None:
        """Wait until the books have what the display said, once."""
        moved = self._demo.books.wait_for(before, kind, amount_fen, _BOOKED_S)
        if moved is None or moved.payer != person.name:
            raise StoryFailed(f"{person.name} {yuan(amount_fen)} 元没有入账 was not booked: {self._demo.books.movements(before)}")
        self._say(f"  入账 in the books: {moved.kind} {moved.record}, {moved.payer} → {moved.payee} {yuan(moved.amount_fen)} 元")

    def _expect(self, holds: bool, visitor: Visitor, otherwise: str) -> None:
        if not holds:
            raise StoryFailed(f"{visitor.board.name}: {otherwise}: {visitor.rows}")


def _available_fen(printed: str, person: Person) -> int:
    """What `onecard holder list` says that somebody has: number, name, class, available."""
    found = re.search(rf"^ *{person.number}  {person.name} +\d+ +(-?\d+)\.(\d\d) ", printed, re.MULTILINE)
    if found is None:
        raise StoryFailed(f"onecard holder list does not have {person.number}: {printed}")
    return int(found[1] + found[2])
