"""A long line for one machine: runs a program in a network of its own, where 10.9.0.2 is this machine again, so many
milliseconds away.

    unshare --net python3 line.py --delay MS [--rate BYTES] [--send-buffer BYTES] -- PROGRAM [ARGUMENT...]

Whatever the kernel sends to 10.9.0.2 comes to a TUN device, is kept for the delay, and goes back with its two
addresses changed over, as if 10.9.0.2 had sent it to 10.9.0.1. So one program can be both ends of a real TCP
connection. The checksums stay right: a sum does not ask for the order of its terms.

Needs Linux, /dev/net/tun, the right to make devices, and `ip`.
"""

import argparse
import collections
import fcntl
import math
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
TUN, NO_PACKET_INFO = 0x0001, 0x1000
# Packets are as large as they may be on a fast network: Python can carry some ten thousand in a second.
MTU = 9000


def make_device():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", b"line", TUN | NO_PACKET_INFO))
    for command in (
        "addr add 10.9.0.1/24 dev line",
        f"link set line mtu {MTU} txqueuelen 100000 up",
        "link set lo up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    return device


def turned_round(packet):
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def carry(device, delay, rate, program):
    """Until the program ends: what comes goes back, a while later."""
    under_way = collections.deque()
    free = 0.0
    poll = select.poll()
    poll.register(device, select.POLLIN)
    while program.poll() is None:
        wait = 10.0
        if under_way:
            wait = max(0.0, (under_way[0][0] - time.monotonic()) * 1000)
        poll.poll(min(wait, 10.0))
        for _ in range(256):
            try:
                packet = os.read(device, MTU)
            except BlockingIOError:
                break
            if packet[0] >> 4 == 4:
                free = max(time.monotonic(), free) + len(packet) / rate
                under_way.append((free + delay, turned_round(packet)))
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            os.write(device, under_way.popleft()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, required=True, help="milliseconds in each direction")
    parser.add_argument("--rate", type=float, default=math.inf, help="bytes in a second, both ways together")
    parser.add_argument("--send-buffer", type=int, help="bytes that a socket may hold, in place of the system's bound")
    parser.add_argument("program", nargs="+")
    asked = parser.parse_args()
    if asked.send_buffer is not None:
        with open("/proc/sys/net/ipv4/tcp_wmem", "r+") as bounds:  # of this network alone
            least, default, _ = bounds.read().split()
            bounds.seek(0)
            bounds.write(f"{least} {default} {asked.send_buffer}")
    device = make_device()
    program = subprocess.Popen(asked.program)
    try:
        carry(device, asked.delay / 1000, asked.rate, program)
    finally:
        program.kill()
    sys.exit(program.returncode)


if __name__ == "__main__":
    main()
