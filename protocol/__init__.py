"""The Onecard protocol: the wire, the record and the bytes on the card.

Every byte is specified in docs/protocol.md. The same files run on CPython and on MicroPython,
import nothing but each other, and can be lifted out and used alone.
"""
