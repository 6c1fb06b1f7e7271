"""A subscriber that only listens: the smallest MQTT 3.1.1 client that can say when the first message came, and keep payloads.

One thread a listener; everything at QoS 0. Python 3 standard library only.
"""
import socket
import struct
import threading
import time


def _text(value):
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(kind, body):
    length, head = len(body), bytearray([kind])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


class Ear:
    """Listens on `topic` of the broker at `port`. `heard` grows by (time.monotonic(), topic, payload, bytes of the packet)."""

    def __init__(self, port, topic):
        self.heard = []
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self._socket.settimeout(None)
        self._socket.sendall(_packet(0x10, _text("MQTT") + b"\x04\x02" + struct.pack(">H", 0) + _text(f"ear-{id(self):x}")))
        self._read()
        self._socket.sendall(_packet(0x82, b"\x00\x01" + _text(topic) + b"\x00"))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def _read(self):
        kind, length, shift, head = self._exactly(1)[0], 0, 0, 1
        while True:
            digit = self._exactly(1)[0]
            head += 1
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                return kind, self._exactly(length), head + length

    def _listen(self):
        try:
            while True:
                kind, body, size = self._read()
                if kind >> 4 == 3 and not kind & 1:  # retained messages are of an earlier start
                    end = 2 + struct.unpack(">H", body[:2])[0]
                    self.heard.append((time.monotonic(), body[2:end].decode(), body[end:], size))
        except (ConnectionError, OSError):
            pass

    def close(self):
        self._socket.close()
