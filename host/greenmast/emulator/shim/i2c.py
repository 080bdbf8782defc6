"""`machine.I2C` of the virtual board: exchanges with the emulator's chips, which outlive a reset."""

import binascii

import channel

_ENODEV = 19
_ETIMEDOUT = 116


class I2C:
    def __init__(self, id, *, scl, sda, freq=400_000, timeout=50_000):
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)

    def _exchange(self, address, data, count):
        answer = channel.ask("I %d %s %d" % (address, binascii.hexlify(data).decode() or "-", count))
        if answer is None:
            raise OSError(_ETIMEDOUT)
        if answer == b"!":
            raise OSError(_ENODEV)
        return binascii.unhexlify(answer)

    def scan(self):
        found = []
        for address in range(8, 120):
            try:
                self._exchange(address, b"", 0)
                found.append(address)
            except OSError:
                pass
        return found

    def writeto(self, addr, buf, stop=True):
        self._exchange(addr, bytes(buf), 0)
        return len(buf)

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self._exchange(addr, b"", len(buf))

    def writeto_mem(self, addr, memaddr, buf):
        self._exchange(addr, bytes([memaddr]) + bytes(buf), 0)

    def readfrom_mem_into(self, addr, memaddr, buf):
        buf[:] = self._exchange(addr, bytes([memaddr]), len(buf))
