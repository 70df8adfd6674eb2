"""A TCP proxy that cuts connections in every way that a network knows.

One Proxy stands before one server. Everything passes until told otherwise:

    drop()            RST to both ends of every connection
    vanish()          nothing is forwarded any more and no end hears of it: as when a firewall
                      forgets a connection, or a host loses power. New ones are swallowed too
    stall(…)          the same in one direction, for what is open and what is opened
    stall_greeted()   new connections get the server's greeting and nothing more: stuck in TLS
    half_close(…)     FIN in one direction, the other goes on
    hold_back(text)   the next packet of the tool with this text in it (no TLS) is kept, and the
                      tool gets RST: the server believes the session to be alive
    deliver()         what was kept arrives, late
    damage(text)      the next bytes of the server with this text in them (no TLS) arrive with one bit changed
    refuse()          nobody listens; what is open stays
    heal()            new connections pass again; those that vanished stay dead, those that
                      were stalled go on where they were
    close()           the end

`up` is from the tool to the server, `down` is back. One thread with a selector serves all
connections; the methods may be called from any thread and return when they took effect.
"""

import contextlib
import queue
import selectors
import socket
import struct
import threading

HOST = '127.0.0.1'
BUFFER_BYTES = 1 << 18
UP, DOWN = 'up', 'down'


def reset(sock):
    """Closes with RST instead of FIN."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


class _Way:
    """One direction of a connection: what was read at one end and not yet written at the other."""

    def __init__(self, name, reader, writer):
        self.name = name
        self.reader = reader
        self.writer = writer
        self.bytes = bytearray()
        self.stalled = False
        self.reads_left = None  # None: no limit
        self.ended = False   # the reader said FIN
        self.shut = False    # FIN was passed on, or sent by half_close(): the rest is thrown away

    def wants(self, sock):
        """What the selector should watch this end for."""
        if self.stalled:
            return 0
        mask = 0
        if (sock is self.reader and not self.ended and self.reads_left != 0 and
                len(self.bytes) < BUFFER_BYTES):
            mask |= selectors.EVENT_READ
        if sock is self.writer and not self.shut and (self.bytes or self.ended):
            mask |= selectors.EVENT_WRITE
        return mask

    def read(self):
        """Takes what is there; OSError when the connection is gone."""
        data = self.reader.recv(65536)
        if self.reads_left is not None:
            self.reads_left -= 1
        if not data:
            self.ended = True
        elif not self.shut:
            self.bytes += data

    def write(self):
        """Passes on what is there, FIN included."""
        if self.bytes:
            del self.bytes[:self.writer.send(self.bytes)]
        if self.ended and not self.bytes:
            self.finish()

    def finish(self):
        """FIN to the writer."""
        if not self.shut:
            self.shut = True
            self.bytes.clear()
            with contextlib.suppress(OSError):
                self.writer.shutdown(socket.SHUT_WR)


class _Flow:
    """One connection: the tool's socket and the server's."""

    def __init__(self, tool, server):
        self.tool = tool
        self.server = server
        self.dead = False  # vanished: nothing passes ever again
        self.kept = None   # hold_back(): the bytes that the server has not got
        self.ways = {UP: _Way(UP, tool, server), DOWN: _Way(DOWN, server, tool)}

    def wants(self, sock):
        """What to watch one of its sockets for."""
        if self.dead:
            return 0
        return self.ways[UP].wants(sock) | self.ways[DOWN].wants(sock)

    def ready(self, sock, mask, hold):
        """Moves bytes; False when the connection is over. Stops before bytes with `hold` in them."""
        try:
            for way in self.ways.values():
                if sock is way.reader and mask & way.wants(sock) & selectors.EVENT_READ:
                    way.read()
                    if hold is not None and way.name == UP and hold in way.bytes:
                        self.kept = b''
                        return True
                if sock is way.writer and mask & way.wants(sock) & selectors.EVENT_WRITE:
                    way.write()
        except BlockingIOError:
            return True
        except OSError:
            return False
        return not all(way.shut for way in self.ways.values())


class Proxy:
    """Listens on a port of its own before one server (anything with host and port)."""

    def __init__(self, server):
        self.server = server
        self.accepted = 0
        self._new = {UP: False, DOWN: False}  # new connections are stalled in these directions
        self._swallow = False                 # new connections are never passed on
        self._greet_only = False              # they get one packet
        self._hold = None                     # hold_back()'s text, until it came
        self._damage = None                   # damage()'s
        self._flows = []
        self._selector = selectors.DefaultSelector()
        self._orders = queue.Queue()
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._listener = None
        self.port = 0
        self._listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    host = HOST

    # --- what a test says --------------------------------------------------------

    def drop(self):
        """RST to both ends of every connection; how many there were."""
        return self._do(self._drop)

    def vanish(self):
        """Every connection, and every new one, is silent for ever, and nobody is told."""
        return self._do(self._vanish)

    def stall(self, *ways):
        """Nothing passes in these directions (default: both) until heal()."""
        return self._do(self._stall, ways or (UP, DOWN))

    def stall_greeted(self):
        """New connections are silent behind the server's greeting, also after heal()."""
        return self._do(self._stall_greeted)

    def half_close(self, way):
        """FIN in one direction of every connection."""
        return self._do(self._half_close, way)

    def hold_back(self, text):
        """The next packet with this text is kept, and its connection is reset for the tool alone."""
        return self._do(self._hold_back, text)

    def kept(self):
        """How many connections hold_back() has cut so far and deliver() has not ended."""
        return self._do(lambda: sum(flow.kept is not None for flow in self._flows))

    def deliver(self):
        """What was kept reaches the server, which then sees the end of the connection."""
        return self._do(self._deliver)

    def damage(self, text):
        """One bit of the next bytes with this text is another one when they reach the tool."""
        return self._do(self._set_damage, text)

    def damaged(self):
        """Whether that has happened."""
        return self._do(lambda: self._damage is None)

    def refuse(self):
        """New connections are refused."""
        return self._do(self._refuse)

    def heal(self):
        """Passes again. What vanished, was dropped or closed stays so."""
        return self._do(self._heal)

    def open_flows(self):
        """Connections that are neither over nor vanished."""
        return self._do(lambda: sum(not flow.dead for flow in self._flows))

    def close(self):
        """Ends it: RST to whatever is left."""
        if self._thread.is_alive():
            self._do(self._close)
            self._thread.join(10)

    def _do(self, function, *args):
        done = queue.Queue()
        self._orders.put((function, args, done))
        self._wake.send(b'.')
        answer = done.get(timeout=30)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    # --- on the proxy's thread ------------------------------------------------------

    def _listen(self):
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((HOST, self.port))
        self._listener.listen(128)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def _drop(self):
        count = len(self._flows)
        for flow in list(self._flows):
            self._end(flow)
        return count

    def _vanish(self):
        for flow in self._flows:
            flow.dead = True
            self._watch(flow)
        self._swallow = True
        return len(self._flows)

    def _stall(self, ways):
        for name in ways:
            self._new[name] = True
            for flow in self._flows:
                flow.ways[name].stalled = True
                self._watch(flow)
        return len(self._flows)

    def _stall_greeted(self):
        self._greet_only = True

    def _half_close(self, name):
        for flow in self._flows:
            flow.ways[name].finish()
            self._watch(flow)
        return len(self._flows)

    def _hold_back(self, text):
        self._hold = text

    def _set_damage(self, text):
        self._damage = text

    def _damage_in(self, way):
        at = way.bytes.find(self._damage)
        if at >= 0:
            way.bytes[at] ^= 1
            self._damage = None

    def _keep(self, flow):
        """The tool's end is gone; the server's stays open, and is not told anything."""
        self._hold = None
        way = flow.ways[UP]
        flow.kept = bytes(way.bytes)
        way.bytes.clear()
        flow.dead = True
        if flow.tool in self._selector.get_map():
            self._selector.unregister(flow.tool)
        if flow.server in self._selector.get_map():
            self._selector.unregister(flow.server)
        reset(flow.tool)

    def _deliver(self):
        for flow in [flow for flow in self._flows if flow.kept is not None]:
            flow.server.setblocking(True)
            with contextlib.suppress(OSError):  # the server may have ended it meanwhile
                flow.server.sendall(flow.kept)
                flow.server.shutdown(socket.SHUT_WR)
                while flow.server.recv(65536):
                    pass
            flow.server.close()
            self._flows.remove(flow)

    def _refuse(self):
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _heal(self):
        self._new = {UP: False, DOWN: False}
        self._swallow = False
        self._greet_only = False
        for flow in list(self._flows):
            if flow.server is None:  # was swallowed: the tool's end may hear of it now
                self._end(flow)
                continue
            for way in flow.ways.values():
                way.stalled = False
            self._watch(flow)
        if self._listener is None:
            self._listen()

    def _close(self):
        self._refuse()
        self._drop()
        self._orders.put((None, (), None))
        self._wake.send(b'.')

    def _accept(self):
        try:
            tool, _ = self._listener.accept()
        except OSError:
            return
        self.accepted += 1
        tool.setblocking(False)
        tool.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._swallow:
            flow = _Flow(tool, None)
            flow.dead = True
            self._flows.append(flow)
            return
        server = socket.socket()
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            server.connect((self.server.host, self.server.port))
        except OSError:
            server.close()
            reset(tool)
            return
        server.setblocking(False)
        flow = _Flow(tool, server)
        if self._greet_only:
            flow.ways[DOWN].reads_left = 1
        for name, stalled in self._new.items():
            flow.ways[name].stalled = stalled
        self._flows.append(flow)
        self._watch(flow)

    def _watch(self, flow):
        for sock in (flow.tool, flow.server):
            if sock is None or sock.fileno() < 0:
                continue
            mask = flow.wants(sock)
            known = sock in self._selector.get_map()
            if mask == 0 and known:
                self._selector.unregister(sock)
            elif mask and known:
                self._selector.modify(sock, mask, flow)
            elif mask:
                self._selector.register(sock, mask, flow)

    def _end(self, flow):
        for sock in (flow.tool, flow.server):
            if sock is not None:
                if sock.fileno() >= 0 and sock in self._selector.get_map():
                    self._selector.unregister(sock)
                reset(sock)
        self._flows.remove(flow)

    def _obey(self):
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)
        while True:
            try:
                function, args, done = self._orders.get_nowait()
            except queue.Empty:
                return True
            if function is None:
                return False
            try:
                done.put(function(*args))
            except Exception as error:  # pylint: disable=broad-except
                done.put(error)

    def _serve(self):
        while True:
            for key, mask in self._selector.select():
                if key.fileobj is self._woken:
                    if not self._obey():
                        self._selector.close()
                        return
                elif key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._flows:
                    self._move(key.data, key.fileobj, mask)

    def _move(self, flow, sock, mask):
        if flow.dead:
            return
        if flow.ready(sock, mask, self._hold):
            if self._damage is not None:
                self._damage_in(flow.ways[DOWN])
            if flow.kept is None:
                self._watch(flow)
            else:
                self._keep(flow)
        elif all(way.shut and not way.bytes for way in flow.ways.values()):
            self._finish(flow)
        else:
            self._end(flow)

    def _finish(self, flow):
        """Both ends said FIN and it was passed on: an ordinary close."""
        for sock in (flow.tool, flow.server):
            if sock in self._selector.get_map():
                self._selector.unregister(sock)
            sock.close()
        self._flows.remove(flow)
