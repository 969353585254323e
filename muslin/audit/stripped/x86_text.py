"""The flow of x86-64 code."""

from __future__ import annotations

from muslin.audit import flow, x86
from muslin.audit.stripped.step import CALLS, GOES_ON, LEADS, RETURNS, UNKNOWN, UNLIKELY, Step
from muslin.audit.stripped.x86_reading import BEGINS, INSIDE, SHAPE, Reading, flow_of


class X86Text(Reading):
    """x86-64 code at an address."""

    kind = "x"
    width = 1

    def stop(self, at: int) -> int:
        """As `Text.stop`."""
        return self._block(at).stop if self._is_aside(at) else self._usual(at)

    def behind(self, stop: int) -> int:
        """The offset behind the instruction at a stop."""
        return stop + self._flows[stop][0] if stop in self._flows else stop

    def shape(self, at: int, stop: int) -> bytes:
        """What each byte is from an offset to the end of the instruction at a stop: the begin of an
        instruction, or inside of one."""
        end = self.behind(stop)
        if not self._is_aside(at):
            shape = bytearray(self._begun[at:end].translate(SHAPE))
            shape[stop - at + 1 :] = bytes((INSIDE,)) * (end - stop - 1)
            return bytes(shape)
        block = self._block(at)
        shape = bytearray(bytes((INSIDE,)) * (end - at))
        for begin in block.begins:
            shape[begin - at] = BEGINS
        if block.meets < stop:
            shape[block.meets - at : stop - at] = self._begun[block.meets : stop].translate(SHAPE)
        if stop < end:
            shape[stop - at] = BEGINS
        return bytes(shape)

    def step(self, at: int) -> Step:
        """As `Text.step`."""
        size, name, operands = self._flows[at]
        flags = flow_of(name)
        if flags is None:
            return (GOES_ON, size, 0) if name == "nop" else (GOES_ON | UNLIKELY, size, 0)
        if flags == GOES_ON:  # syscall
            return (0 if self._exits(at) else GOES_ON), size, 0
        if flags in (CALLS, 0x100):
            flags &= CALLS
            if operands[:1].isdigit():
                return flags | LEADS, size, int(operands, 0)
            return flags | UNKNOWN, size, 0
        if flags & LEADS:
            return flags, size, int(operands, 0)
        return (UNKNOWN if flags == RETURNS and self._is_pushed(at) else flags), size, 0

    def _is_pushed(self, at: int) -> bool:
        """Whether the instruction before a return pushes where that goes."""
        if at and self._begun[at - 1] and 0x50 <= self.content[at - 1] < 0x58:
            return True
        return at >= 5 and self._begun[at - 5] == BEGINS and self.content[at - 5] == 0x68

    def _exits(self, at: int) -> bool:
        numbers = [x86.number(name, operands) for _, _, name, operands in self.before(at, at)]
        return flow.is_exit("x", numbers[-flow.LOOK_BACK :])

    def before(self, begin: int, at: int) -> list[tuple[int, int, str, str]]:
        """Offset, size, name and operands of the instructions up to one, and of some before an
        offset that were read without a break."""
        first = begin
        for offset in range(begin - 1, max(begin - 64, -1), -1):
            if not self._covered[offset]:
                break
            if self._begun[offset]:
                first = offset
        code = self.content[first : at + x86.LONGEST]
        found = list[tuple[int, int, str, str]]()
        for one in self._decoder.disasm_lite(code, self.start + first):
            offset = one[0] - self.start
            if offset > at:
                break
            found.append((offset, *one[1:]))
        return found

    def literals(self) -> list[tuple[int, int, int]]:
        """As `A64Text.literals`: compilers put none beside the code."""
        return []
