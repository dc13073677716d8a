"""What a session may use up: what the host holds for it, and whether more will come."""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from protocol.messages import Answer


class Funds:
    """The hold of one session. Amounts in fen.

    `held_fen`: what is held in all; it only ever grows. `account_fen`: what the holder has beside it, None until an
    answer says so (a code's session begins without one). `is_extending`: a higher total was asked for, and the answer is
    to come. `may_ask`: it makes sense to ask now, for the last refusal is a while ago. `is_warned`: the person
    knows that the water will stop.
    """

    def __init__(self) -> None:
        self.begin(0, None)

    def begin(self, held_fen: int, account_fen: "int | None") -> None:
        """Start on a first hold."""
        self.held_fen = held_fen
        self.account_fen = account_fen
        self.is_extending = False
        self.may_ask = True
        self.is_warned = False

    def wants_more(self, charge_fen: int, when_left_fen: int) -> bool:
        """Whether so little is left that more should be asked for now."""
        return self.may_ask and not self.is_extending and self.held_fen - charge_fen <= when_left_fen

    def next_total_fen(self, step_fen: int, max_fen: int) -> int:
        """The total to ask for next; what is held already, when that is the most."""
        return max(min(self.held_fen + step_fen, max_fen), self.held_fen)

    def take(self, answer: "Answer") -> None:
        """Note what an answer to an extension says. What was held before stands (MONEY.md 7)."""
        is_granted = answer.code == 0
        self.held_fen = max(self.held_fen, answer.held_fen)
        self.is_extending = False
        self.may_ask = is_granted
        if is_granted:
            self.account_fen = answer.account_fen
            self.is_warned = False

    def left_fen(self, charge_fen: int) -> "int | None":
        """What the holder will have left if it ends now; None while that is not known."""
        return None if self.account_fen is None else self.account_fen + self.held_fen - charge_fen
