"""A network cable between an agent and its coordinator, which a test may cut and mend."""

import selectors
import socket
import threading


class Wire:
    def __init__(self, target_port, source="127.0.0.1"):
        self._target, self._source = ("127.0.0.1", target_port), (source, 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open, self._pairs, self._ended = True, [], False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake_read, self._wake_write = socket.socketpair()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """What was on its way is lost; who tries to connect is turned away."""
        with self._lock:
            self._open = False
            self._drop_all()

    def mend(self):
        with self._lock:
            self._open = True

    def lead_to(self, port):
        """The other end is elsewhere from now on; what was connected is cut."""
        with self._lock:
            self._target = ("127.0.0.1", port)
            self._drop_all()

    def end(self):
        self._ended = True
        self._wake_write.send(b"x")
        self._thread.join()
        self._drop_all()
        for each in (self._listener, self._wake_read, self._wake_write):
            each.close()
        self._selector.close()

    def _drop_all(self):
        for one, other in self._pairs:
            for end in (one, other):
                try:
                    self._selector.unregister(end)
                except (KeyError, ValueError):
                    pass
                end.close()
        self._pairs = []

    def _run(self):
        while not self._ended:
            for key, _ in self._selector.select():
                with self._lock:
                    if key.fileobj is self._listener:
                        self._connect()
                    elif key.fileobj is not self._wake_read and key.fileobj.fileno() >= 0:
                        self._carry(key.fileobj, key.data)

    def _connect(self):
        caller, _ = self._listener.accept()
        try:
            if not self._open:
                raise ConnectionError
            called = socket.create_connection(self._target, 5, self._source)
        except OSError:
            caller.close()
            return
        self._pairs.append((caller, called))
        for one, other in ((caller, called), (called, caller)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(one, selectors.EVENT_READ, other)

    def _carry(self, one, other):
        try:
            data = one.recv(65536)
            if data:
                other.sendall(data)
                return
        except OSError:
            pass
        self._pairs, gone = [p for p in self._pairs if one not in p], [p for p in self._pairs if one in p]
        for pair in gone:
            for end in pair:
                self._selector.unregister(end)
                end.close()
