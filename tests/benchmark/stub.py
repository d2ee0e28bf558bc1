"""An endpoint that answers at once, in a process of its own: what remains is the caller's CPU.

    python stub.py  <answers.json>   (prints its port)

Answers are by operation, then by the beginning of the key that is asked for; a text is sent as it is.
"""

import asyncio
import json
import re
import sys
from pathlib import Path

TARGET = re.compile(rb"x-amz-target: [^.]+\.(\w+)", re.IGNORECASE)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def _without_target(head: bytes) -> str:
    """The operation of a service that tells it by method and path: S3 and SES."""
    if head[:3] != b"GET":
        return "SendEmail"
    return "GetObject" if b"\r\nrange:" in head.lower() else "GetAccount"


async def serve(answers: dict[str, dict[str, object]]) -> None:
    """Answer until the end."""
    ready = {
        operation: [
            (start.encode(), answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())
            for start, answer in known.items()
        ]
        for operation, known in answers.items()
    }

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                target = TARGET.search(head)
                operation = target[1].decode() if target else _without_target(head)
                answer = next((said for start, said in ready.get(operation, []) if start in body), b"{}")
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: %d\r\n\r\n%b"
                    % (len(answer), answer)
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(Path(sys.argv[1]).read_text())))
