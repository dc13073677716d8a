"""The registers of the MFRC522: addresses, reset values and writable bits (data sheet Rev 3.9, section 9)."""

COMMAND = 0x01
COM_I_EN = 0x02
DIV_I_EN = 0x03
COM_IRQ = 0x04
DIV_IRQ = 0x05
ERROR = 0x06
STATUS1 = 0x07
STATUS2 = 0x08
FIFO_DATA = 0x09
FIFO_LEVEL = 0x0A
WATER_LEVEL = 0x0B
CONTROL = 0x0C
BIT_FRAMING = 0x0D
COLL = 0x0E
MODE = 0x11
TX_MODE = 0x12
RX_MODE = 0x13
TX_CONTROL = 0x14
TX_ASK = 0x15
RX_SEL = 0x17
DEMOD = 0x19
MF_RX = 0x1D
CRC_RESULT_HIGH = 0x21
CRC_RESULT_LOW = 0x22
T_MODE = 0x2A
T_PRESCALER = 0x2B
T_RELOAD_HIGH = 0x2C
T_RELOAD_LOW = 0x2D
T_COUNTER_HIGH = 0x2E
T_COUNTER_LOW = 0x2F
AUTO_TEST = 0x36
VERSION = 0x37

# CommandReg
RCV_OFF, POWER_DOWN = 0x20, 0x10
# ComIrqReg
TX_IRQ, RX_IRQ, IDLE_IRQ, HI_ALERT_IRQ, LO_ALERT_IRQ, ERR_IRQ, TIMER_IRQ = 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
# DivIrqReg
CRC_IRQ = 0x04
# ErrorReg
WRITE_ERROR, OVERFLOW_ERROR, COLLISION_ERROR, CRC_ERROR, PARITY_ERROR, PROTOCOL_ERROR = 0x80, 0x10, 0x08, 0x04, 0x02, 0x01
# Status2Reg
CRYPTO1_ON = 0x08
# CollReg
VALUES_AFTER_COLL, COLL_POS_NOT_VALID = 0x80, 0x20
# TxModeReg and RxModeReg
CRC_ENABLED, SPEED_MASK, RX_NO_ERR = 0x80, 0x70, 0x08
# ModeReg
TX_WAIT_RF, MSB_FIRST = 0x20, 0x80
# TxASKReg, MfRxReg
FORCE_100_ASK, PARITY_DISABLED = 0x40, 0x10

# Sections 9.2 and 9.3, address: (reset value, bits that a write changes). What is missing is reserved and reads 0.
# Registers with a behaviour of their own stand here too, with the bits that are plainly stored.
_TABLE = {
    COMMAND: (0x20, 0x00),
    COM_I_EN: (0x80, 0xFF),
    DIV_I_EN: (0x00, 0x94),
    COM_IRQ: (0x14, 0x00),
    DIV_IRQ: (0x00, 0x00),
    ERROR: (0x00, 0x00),
    STATUS1: (0x21, 0x00),
    STATUS2: (0x00, 0x40),
    FIFO_DATA: (0x00, 0x00),
    FIFO_LEVEL: (0x00, 0x00),
    WATER_LEVEL: (0x08, 0x3F),
    CONTROL: (0x10, 0x00),
    BIT_FRAMING: (0x00, 0x77),
    COLL: (0xA0, 0x80),
    MODE: (0x3F, 0xAB),
    TX_MODE: (0x00, 0xF8),
    RX_MODE: (0x00, 0xFC),
    TX_CONTROL: (0x80, 0xFB),
    TX_ASK: (0x00, 0x40),
    0x16: (0x10, 0x3F),  # TxSelReg
    RX_SEL: (0x84, 0xFF),
    0x18: (0x84, 0xF7),  # RxThresholdReg
    DEMOD: (0x4D, 0xFF),
    0x1C: (0x62, 0x03),  # MfTxReg
    MF_RX: (0x00, 0x10),
    0x1F: (0xEB, 0xFF),  # SerialSpeedReg
    CRC_RESULT_HIGH: (0xFF, 0x00),
    CRC_RESULT_LOW: (0xFF, 0x00),
    0x23: (0x88, 0x00),
    0x24: (0x26, 0xFF),  # ModWidthReg
    0x25: (0x87, 0x00),
    0x26: (0x48, 0x70),  # RFCfgReg
    0x27: (0x88, 0xFF),  # GsNReg
    0x28: (0x20, 0x3F),  # CWGsPReg
    0x29: (0x20, 0x3F),  # ModGsPReg
    T_MODE: (0x00, 0xFF),
    T_PRESCALER: (0x00, 0xFF),
    T_RELOAD_HIGH: (0x00, 0xFF),
    T_RELOAD_LOW: (0x00, 0xFF),
    0x31: (0x00, 0x07),  # TestSel1Reg
    0x32: (0x00, 0xFF),  # TestSel2Reg
    0x33: (0x80, 0xFE),  # TestPinEnReg
    0x34: (0x00, 0xFE),  # TestPinValueReg
    AUTO_TEST: (0x40, 0x4F),
    VERSION: (0x92, 0x00),
    0x38: (0x00, 0xFF),  # AnalogTestReg
    0x39: (0x00, 0x3F),  # TestDAC1Reg
    0x3A: (0x00, 0x3F),  # TestDAC2Reg
    0x3C: (0xFF, 0x00),
    0x3E: (0x03, 0x00),
}
COUNT = 64


class Registers:
    """The stored bits, and the two registers that only collect: interrupt requests and errors."""

    def __init__(self) -> None:
        self.values = bytearray(COUNT)
        self.reset()

    def reset(self) -> None:
        """Take the reset values."""
        for address in range(COUNT):
            self.values[address] = _TABLE.get(address, (0, 0))[0]

    def __getitem__(self, address: int) -> int:
        return self.values[address]

    def __setitem__(self, address: int, value: int) -> None:
        self.values[address] = value

    def store(self, address: int, value: int) -> None:
        """Write as the host does: only the writable bits change."""
        mask = _TABLE.get(address, (0, 0))[1]
        self.values[address] = self.values[address] & ~mask | value & mask

    def has(self, address: int, mask: int) -> bool:
        """Say whether any of these bits is set."""
        return bool(self.values[address] & mask)

    def change(self, address: int, mask: int, is_set: bool) -> None:
        """Set or clear bits."""
        self.values[address] = self.values[address] | mask if is_set else self.values[address] & ~mask

    def mark(self, address: int, value: int) -> None:
        """Write an interrupt request register: bit 7 says whether the marked bits are set or cleared (Set1, Set2)."""
        self.change(address, value & (0x7F if address == COM_IRQ else 0x14), bool(value & 0x80))

    def request(self, irq: int) -> None:
        """Set interrupt request bits of ComIrqReg."""
        self.values[COM_IRQ] |= irq

    def fail(self, error: int) -> None:
        """Set error bits, and with them ErrIRq."""
        self.values[ERROR] |= error
        self.values[COM_IRQ] |= ERR_IRQ

    @property
    def has_interrupt(self) -> bool:
        """Whether an enabled interrupt is requested (Status1Reg, IRq)."""
        return bool(self.values[COM_IRQ] & self.values[COM_I_EN] & 0x7F or self.values[DIV_IRQ] & self.values[DIV_I_EN] & 0x14)
