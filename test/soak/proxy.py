#!/usr/bin/env python3
"""A TCP proxy that gets in the way: proxy.py HOST:PORT SEED COUNT

Listens on COUNT loopback ports, named in a line "listening on PORT PORT ...". Each connection has a fate of its own, drawn from the
seed and its number: it ends at some age, and until then meets no fault, or faults at some bytes of either direction. Bytes are late, in
pieces, or lost with all that follow; changed they are only within TLS, which has to notice. A line "calm" on standard input ends all
connections that are open and every fault; the end of input ends the proxy, which then prints how often it did what as JSON.
"""

import asyncio
import collections
import json
import random
import socket
import struct
import sys

CHUNK = 16 * 1024
# Weights; the faults up to "split" let the connection live.
FAULTS = {"delay": 6, "stall": 3, "split": 6, "half_close": 2, "truncate": 3, "reset": 4}
TLS_FAULTS = {**FAULTS, "garble": 3}
TLS_HANDSHAKE = 0x16  # the first byte of a connection that speaks TLS


class Proxy:
    def __init__(self, target, seed):
        self.host, _, port = target.rpartition(":")
        self.port = int(port)
        self.seed = seed
        self.number = 0
        self.calm = asyncio.Event()
        self.writers = set()
        self.counts = collections.Counter()

    async def connection(self, reader, writer):
        self.number += 1
        chance = random.Random(f"{self.seed}/{self.number}")
        try:
            server_reader, server_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            self.counts["refused"] += 1
            writer.transport.abort()
            return
        self.counts["connections"] += 1
        pair = (writer, server_writer)
        self.writers.update(pair)
        quiet = self.calm.is_set() or chance.random() < 0.3
        faults = {}  # filled in when the client has said what it speaks
        try:
            # Whichever direction breaks first ends both.
            up = asyncio.ensure_future(self.pump(reader, server_writer, pair, random.Random(chance.random()), quiet, faults))
            down = asyncio.ensure_future(self.pump(server_reader, writer, pair, random.Random(chance.random()), quiet, faults))
            # A client would keep the connections that have no fault for ever, and meet none any more.
            age = None if self.calm.is_set() else chance.uniform(1, 10)
            _, pending = await asyncio.wait((up, down), timeout=age, return_when=asyncio.FIRST_EXCEPTION)
            if len(pending) == 2:
                self.counts["age"] += 1
                self.linger(pair)
            for task in pending:
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            self.writers.difference_update(pair)
            for side in pair:
                side.transport.abort()

    async def pump(self, reader, writer, pair, chance, quiet, faults):
        fault_at = self.next_fault(chance)
        deaf = False  # the other side has been told that this direction has ended
        while True:
            data = await reader.read(CHUNK)
            if not data:
                if not deaf and writer.can_write_eof():
                    writer.write_eof()
                return
            if not faults:
                faults.update(TLS_FAULTS if data[0] == TLS_HANDSHAKE else FAULTS)
            if quiet or self.calm.is_set():
                fault_at = None
            while fault_at is not None and len(data) > fault_at:
                await self.forward(writer, data[:fault_at], deaf)
                data = data[fault_at:]
                fault = chance.choices(list(faults), faults.values())[0]
                self.counts[fault] += 1
                if fault == "delay":
                    await self.pause(chance.uniform(0.001, 0.1))
                elif fault == "stall":
                    await self.pause(chance.uniform(0.1, 3))
                elif fault == "split":
                    count = min(len(data), chance.randint(1, 200))
                    for i in range(count):
                        await self.forward(writer, data[i:i + 1], deaf)
                        await asyncio.sleep(0)
                    data = data[count:]
                elif fault == "garble":
                    data = bytes([data[0] ^ chance.randint(1, 255)]) + data[1:]
                elif fault == "half_close":
                    deaf = True
                    writer.write_eof()
                else:
                    if fault == "reset":
                        self.linger(pair)
                    raise ConnectionResetError
                fault_at = self.next_fault(chance)
            if fault_at is not None:
                fault_at -= len(data)
            await self.forward(writer, data, deaf)

    @staticmethod
    def linger(pair):
        """Closing is resetting from now on."""
        for side in pair:
            side.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    @staticmethod
    def next_fault(chance):
        """Often in the first bytes, where connections begin; else some 60 kB further on."""
        return chance.randint(0, 200) if chance.random() < 0.2 else int(chance.expovariate(1 / 60_000))

    @staticmethod
    async def forward(writer, data, deaf):
        if data and not deaf:
            writer.write(data)
            await writer.drain()

    async def pause(self, seconds):
        try:
            await asyncio.wait_for(self.calm.wait(), seconds)
        except asyncio.TimeoutError:
            pass

    def become_calm(self):
        self.calm.set()
        for writer in list(self.writers):
            writer.transport.abort()


async def main(target, seed, count):
    proxy = Proxy(target, seed)
    servers = [await asyncio.start_server(proxy.connection, "127.0.0.1", 0) for _ in range(count)]
    print("listening on", *(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        if line.strip() == b"calm":
            proxy.become_calm()
            print("calm", flush=True)
    for server in servers:
        server.close()
    proxy.become_calm()
    print(json.dumps(proxy.counts), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
