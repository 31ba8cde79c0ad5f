"""Sends the bytes of standard input to a port of this machine, and prints what comes back: `python3 ask.py PORT`."""
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30) as connection:
    connection.sendall(sys.stdin.buffer.read())
    while data := connection.recv(1 << 16):
        sys.stdout.buffer.write(data)
