"""Certificates of our own making, and a front that speaks TLS before a server that does not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = datetime(2020, 1, 1, tzinfo=UTC)
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # how a PostgreSQL client asks for TLS


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate authority, and what it certified: a server on 127.0.0.1."""

    ca: Path
    cert: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server serves TLS with."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert, self.key)
        return context


def certify(folder: Path) -> Certificates:
    """A new authority in a folder, with a certificate for a server on 127.0.0.1."""
    folder.mkdir()
    files = Certificates(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    above = _unsigned("Jiesu test CA", "Jiesu test CA", authority)
    above = above.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    server = _unsigned("127.0.0.1", "Jiesu test CA", key)
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    server = server.add_extension(named, critical=False)
    files.ca.write_bytes(above.sign(authority, SHA256()).public_bytes(Encoding.PEM))
    files.cert.write_bytes(server.sign(authority, SHA256()).public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _unsigned(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY)
        .not_valid_after(DAY + timedelta(days=36_500))
    )


@asynccontextmanager
async def front(
    certificates: Certificates,
    *,
    tcp: tuple[str, int] | None = None,
    unix: str | None = None,
    preamble: bytes = b"",
) -> AsyncIterator[int]:
    """The port of a server that speaks TLS and passes on what it hears in the clear.

    A client that begins with ``preamble`` is told "S": so PostgreSQL begins TLS.
    """  # fmt: skip

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if preamble:
                if await reader.readexactly(len(preamble)) != preamble:
                    writer.close()
                    return
                writer.write(b"S")
                await writer.start_tls(certificates.context())
            behind = (
                await asyncio.open_unix_connection(unix)
                if unix
                else await asyncio.open_connection(*(tcp or ("", 0)))
            )
            await asyncio.gather(_pump(reader, behind[1]), _pump(behind[0], writer))

    context = None if preamble else certificates.context()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while heard := await reader.read(65536):
            writer.write(heard)
            await writer.drain()
    writer.close()
