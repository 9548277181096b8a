"""A real SMTP server (aiosmtpd) on loopback, in the loop of the test, that keeps what it was given."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.http_server import CERTIFICATE


@dataclass
class Mail:
    """One message as it came over the wire."""

    sender: str
    recipients: list[str]
    content: bytes
    encrypted: bool
    login: str
    hello: str = ""


@dataclass
class MailServer:
    """Listens on 127.0.0.1. `rcpt` and `data` hold replies that are given, one each time, instead of 250.

    `starttls` offers it (and then requires it), `implicit` speaks TLS from the start, `login` is "user:password".
    A reply of "" hangs up.
    """

    starttls: bool = False
    implicit: bool = False
    login: str = ""
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    _server: asyncio.Server | None = None
    _protocols: list[Any] = field(default_factory=list)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> MailServer:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
        loop = asyncio.get_running_loop()

        def connect() -> Any:
            self.connections += 1
            protocol = SMTP(
                self,
                hostname="mail.test",
                loop=loop,
                enable_SMTPUTF8=False,
                tls_context=context if self.starttls else None,
                require_starttls=self.starttls,
                auth_required=bool(self.login),
                auth_require_tls=self.starttls,
                authenticator=self._authenticate if self.login else None,
            )
            self._protocols.append(protocol)
            return protocol

        self._server = await loop.create_server(connect, "127.0.0.1", 0, ssl=context if self.implicit else None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.close()
            if (task := protocol._handler_coroutine) is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _authenticate(self, server: Any, session: Session, envelope: Envelope, how: str, data: Any) -> Any:
        said = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=said == self.login, handled=said == self.login, auth_data=said)

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.rcpt.pop(0) if self.rcpt else "250 2.1.5 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.data.pop(0) if self.data else "250 2.0.0 queued as 4F2A"
        if not reply:
            server.transport.abort()
            return "421 gone"
        if reply.startswith("250"):
            content = envelope.original_content
            assert isinstance(content, bytes)
            self.mails.append(
                Mail(
                    sender=envelope.mail_from or "",
                    recipients=list(envelope.rcpt_tos),
                    content=content,
                    encrypted=session.ssl is not None or self.implicit,
                    login=str(session.auth_data or ""),
                    hello=session.host_name or "",
                )
            )
        return reply
