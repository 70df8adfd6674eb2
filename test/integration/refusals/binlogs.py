"""A binlog file of a stopped server, changed: what disks, bugs and other servers' versions do."""

import struct
import zlib

HEADER = struct.Struct('<IBIIIH')
ROTATE, WRITE_ROWS, INCIDENT = 4, 30, 26


def sealed(kind, body, position, server_id):
    """One event at a position, with length, end and checksum right."""
    length = HEADER.size + len(body) + 4
    head = HEADER.pack(1, kind, server_id, length, position + length, 0)
    return head + body + struct.pack('<I', zlib.crc32(head + body))


class BinlogFile:
    """The events of a file, to be changed and written again."""

    def __init__(self, path):
        self.path = path
        data = path.read_bytes()
        self.magic, self.events, at = data[:4], [], 4
        while at < len(data):
            length = HEADER.unpack_from(data, at)[3]
            self.events.append(data[at:at + length])
            at += length
        self.end = self.events.pop()
        assert self.end[4] == ROTATE, 'the file is not finished'

    def last(self, kind):
        """Index of the last event of a type."""
        return max(n for n, event in enumerate(self.events) if event[4] == kind)

    def position(self, index):
        """Where an event begins."""
        return 4 + sum(len(event) for event in self.events[:index])

    def append(self, kind, body):
        """One more event, as the server would have written it."""
        self.events.append(self._at_end(kind, body))

    def _at_end(self, kind, body):
        server_id = HEADER.unpack_from(self.events[0])[2]
        return sealed(kind, body, self.position(len(self.events)), server_id)

    def flip(self, index, at):
        """One bit of an event; its checksum is no longer right."""
        event = bytearray(self.events[index])
        event[at] ^= 1
        self.events[index] = bytes(event)

    def shorten(self, index, count):
        """An event without its last bytes, and everything sealed again as if nothing were missing."""
        for n in range(index, len(self.events)):
            _, kind, server_id, _, _, _ = HEADER.unpack_from(self.events[n])
            body = self.events[n][HEADER.size:-4]
            self.events[n] = sealed(kind, body[:-count] if n == index else body,
                                    self.position(n), server_id)

    def write(self):
        """Puts it back, with its end."""
        end = self._at_end(ROTATE, self.end[HEADER.size:-4])
        self.path.write_bytes(self.magic + b''.join(self.events) + end)
