"""A line between a Modbus master and a server that is not ours, with dials for what goes wrong on lines.

Bytes are passed on whole requests and replies at a time (both sides here write a frame in one go). RTU: a pair of ptys, the
master's end under a name of choice. TCP: a proxy. Dials, all off at first:
  silent   [units] whose requests are swallowed        slow     {unit: seconds} before the reply goes out
  drop     part of the replies that are lost           garbage  part of the replies with noise in front
  bad_crc  part of the replies with a damaged byte     double   part of the replies that come twice
  pieces   true: replies come byte by byte             baud     paces the line like a UART (11 bits a character)
Standard library only.
"""
import asyncio
import os
import pty
import random
import termios
import tty


class Dials:
    def __init__(self):
        self.values = {"silent": [], "slow": {}, "drop": 0, "garbage": 0, "bad_crc": 0, "double": 0, "pieces": False, "baud": 0}
        self.chance = random.Random(1)
        self.counts = {"requests": 0, "replies": 0, "dropped": 0, "spoiled": 0, "by_unit": {}}

    def turn(self, changes):
        unknown = set(changes) - set(self.values)
        if unknown:
            raise ValueError(f"no such dial: {', '.join(sorted(unknown))}")
        self.values.update(changes)

    def takes_request(self, unit):
        self.counts["requests"] += 1
        self.counts["by_unit"][str(unit)] = self.counts["by_unit"].get(str(unit), 0) + 1
        return unit not in self.values["silent"]

    def spoil(self, frame):
        """The frames to send instead of this one: none, one or two."""
        dials, chance = self.values, self.chance
        if chance.random() < dials["drop"]:
            self.counts["dropped"] += 1
            return []
        before = frame
        if chance.random() < dials["bad_crc"]:
            at = chance.randrange(2, len(frame))
            frame = frame[:at] + bytes((frame[at] ^ 1 << chance.randrange(8),)) + frame[at + 1:]
        if chance.random() < dials["garbage"]:
            frame = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40))) + frame
        frames = [frame, frame] if chance.random() < dials["double"] else [frame]
        self.counts["spoiled"] += frames != [before]
        self.counts["replies"] += len(frames)
        return frames

    async def send(self, frame, unit, write):
        await asyncio.sleep(float(self.values["slow"].get(str(unit), 0)))
        for out in self.spoil(frame):
            if self.values["baud"]:
                for at in range(0, len(out), 8):  # a UART hands its bytes over in such portions
                    part = out[at:at + 8]
                    await asyncio.sleep(len(part) * 11 / self.values["baud"])
                    write(part)
            elif self.values["pieces"]:
                for byte in out:
                    write(bytes((byte,)))
                    await asyncio.sleep(0.0005)
            else:
                write(out)


def raw_pty():
    """(master, slave, name); the slave stays open so that the master outlives those who come and go."""
    master, slave = pty.openpty()
    tty.setraw(slave, termios.TCSANOW)
    os.set_blocking(master, False)
    return master, slave, os.ttyname(slave)


class PtyLine:
    """`link` is the master's end; `device` is the path the server opens."""

    def __init__(self, dials, link):
        self.dials, self.link = dials, link
        self.server, self.server_slave, self.device = raw_pty()
        self.client = self.client_slave = None
        self.tasks = set()

    def start(self):
        asyncio.get_running_loop().add_reader(self.server, self._from_server)
        self.plug()

    def plug(self):
        self.client, self.client_slave, name = raw_pty()
        if os.path.islink(self.link):
            os.unlink(self.link)
        os.symlink(name, self.link)
        asyncio.get_running_loop().add_reader(self.client, self._from_client)

    def unplug(self):
        """As a USB adapter that is pulled out: the name goes, and who has it open is hung up."""
        asyncio.get_running_loop().remove_reader(self.client)
        os.unlink(self.link)
        os.close(self.client)
        os.close(self.client_slave)
        self.client = None

    def close(self):
        if self.client is not None:
            self.unplug()

    def _from_client(self):
        request = os.read(self.client, 512)
        if self.dials.takes_request(request[0]):
            os.write(self.server, request)

    def _from_server(self):
        frame = os.read(self.server, 512)
        task = asyncio.ensure_future(self.dials.send(frame, frame[0], self._to_client))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _to_client(self, data):
        if self.client is not None:
            os.write(self.client, data)


class TcpLine:
    """Listens on loopback; each connection gets one of its own to the server behind."""

    def __init__(self, dials, port, behind):
        self.dials, self.port, self.behind = dials, port, behind
        self.listener, self.writers = None, set()

    async def start(self):
        self.listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.listener.sockets[0].getsockname()[1]

    def cut(self):
        """Closes the connections that are there; new ones are welcome."""
        for writer in list(self.writers):
            writer.close()

    async def _serve(self, reader, writer):
        self.writers.add(writer)
        try:
            near, far = await asyncio.open_connection("127.0.0.1", self.behind)
            back = asyncio.ensure_future(self._pump(near, writer))
            while True:
                head = await reader.readexactly(6)
                request = head + await reader.readexactly(int.from_bytes(head[4:6], "big"))
                if self.dials.takes_request(request[6]):
                    far.write(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()
            far.close()
            back.cancel()

    async def _pump(self, near, writer):
        while True:
            head = await near.readexactly(6)
            frame = head + await near.readexactly(int.from_bytes(head[4:6], "big"))
            await self.dials.send(frame, frame[6], writer.write)
