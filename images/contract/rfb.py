"""A viewer that knows RFB 3.8, password authentication and raw rectangles: enough to see a screen and to type on it."""
import socket
import struct
import time
import zlib

from des import encrypt, reversed_bits

PASSWORD = b"measured"
# A SYN sent before the container's interface is up is lost, and the kernel repeats it only after a second.
CONNECT_S, POLL_S = 0.1, 0.01
# The picture has been painted when it has stood still this long; a part this small may go on: a blinking cursor, a clock.
STILL_S, STILL_PART = 0.5, 1 / 500


class NoScreen(Exception):
    """What the other side is, says or does is not a screen's."""


def connect(address, port, deadline):
    while True:
        try:
            connection = socket.create_connection((address, port), timeout=CONNECT_S)
            connection.settimeout(10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError:
            if time.monotonic() > deadline:
                raise NoScreen(f"nothing listens on port {port}") from None
            time.sleep(POLL_S)


class Screen:
    """The screen of a container, from its greeting on. Times are those of time.monotonic()."""

    def __init__(self, address, port, deadline):
        self.socket = connect(address, port, deadline)
        version = self.read(12)
        self.greeted = time.monotonic()
        if not version.startswith(b"RFB 003."):
            raise NoScreen(f"that is no RFB greeting: {version!r}")
        self.socket.sendall(b"RFB 003.008\n")
        self.kinds = list(self.read(self.read(1)[0]))
        self.authenticate()
        self.socket.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        self.pixels = bytearray(self.width * self.height * 4)
        self.socket.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.socket.sendall(struct.pack(">BxHi", 2, 1, 0))

    def __enter__(self):
        return self

    # Closed before the address is given away: a lost neighbour would hold up the next one's packets for a second.
    def __exit__(self, *_):
        self.socket.close()

    def authenticate(self):
        if 2 in self.kinds:
            self.socket.sendall(b"\x02")
            challenge = self.read(16)
            key = reversed_bits(PASSWORD.ljust(8, b"\0")[:8])
            self.socket.sendall(encrypt(key, challenge[:8]) + encrypt(key, challenge[8:]))
        elif 1 in self.kinds:
            self.socket.sendall(b"\x01")
        else:
            raise NoScreen(f"no way in is known of those it offers: {self.kinds}")
        if struct.unpack(">I", self.read(4))[0]:
            raise NoScreen("the screen refused the password")

    def read(self, count):
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self.socket.recv(count - len(parts))
            except OSError as error:
                raise NoScreen(f"the screen went silent: {error}") from None
            if not part:
                raise NoScreen("the screen closed the connection")
            parts += part
        return bytes(parts)

    def type(self, text):
        """Presses and releases the key of each character; a newline is Return."""
        for character in text:
            key = 0xFF0D if character == "\n" else ord(character)
            for down in (1, 0):
                self.socket.sendall(struct.pack(">BBxxI", 4, down, key))

    def ask(self, incremental):
        self.socket.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def wait_painted(self, deadline, colours):
        """Returns when the picture last changed, once it has stood still and has at least so many colours.

        Small changes, a clock's for one, do not count once it has the colours. One that stood still without them was
        painted by whatever came last.
        """
        changed = self.touched = time.monotonic()
        waited = False
        self.ask(0)
        while time.monotonic() < deadline:
            if time.monotonic() - changed > STILL_S:
                if self.is_painted(colours):
                    return self.touched if waited else changed
                waited = True
            self.socket.settimeout(STILL_S)
            try:
                kind = self.socket.recv(1)
            except TimeoutError:
                continue
            self.socket.settimeout(10)
            if self.take(kind):
                changed = time.monotonic()
                self.ask(1)
        raise NoScreen(f"the screen was not painted in time: {self.colours()} colours")

    def take(self, kind):
        """Reads one server message; true when it changed the picture."""
        if kind == b"\x00":
            self.read(1)
            before = zlib.crc32(self.pixels)
            area = sum(self.take_rectangle() for _ in range(struct.unpack(">H", self.read(2))[0]))
            if zlib.crc32(self.pixels) != before:
                self.touched = time.monotonic()
                if area > self.width * self.height * STILL_PART:
                    return True
            self.ask(1)
            return False
        if kind == b"\x03":
            self.read(3)
            self.read(struct.unpack(">I", self.read(4))[0])
        elif kind != b"\x02":
            raise NoScreen(f"unexpected server message {kind!r}")
        return False

    def take_rectangle(self):
        """Takes over a rectangle; how many pixels it has."""
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
        if encoding:
            raise NoScreen(f"unexpected encoding {encoding}")
        data = self.read(width * height * 4)
        for row in range(height):
            start = ((y + row) * self.width + x) * 4
            self.pixels[start:start + width * 4] = data[row * width * 4:(row + 1) * width * 4]
        return width * height

    def is_painted(self, colours):
        """Whoever paints letters or windows paints lines that differ."""
        rows = {bytes(self.pixels[y * self.width * 4:(y + 1) * self.width * 4]) for y in range(self.height)}
        return self.colours() >= colours and len(rows) > 16

    def colours(self):
        return len(set(struct.iter_unpack("<I", self.pixels)))

    def save(self, path):
        """Writes the picture as a PNG file."""
        rows = bytearray()
        for y in range(self.height):
            row = self.pixels[y * self.width * 4:(y + 1) * self.width * 4]
            rgb = bytearray(self.width * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows += b"\0" + rgb
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for tag, body in ((b"IHDR", struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)),
                              (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")):
                file.write(struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body)))
