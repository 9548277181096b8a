"""What real servers answer, and who is at fault by it. Each block names its public source."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchpost.notify.smtp_replies import Fault, Stage, read_reply

R: Stage = "recipient"
M: Stage = "sender"
D: Stage = "data"
L: Stage = "login"
H: Stage = "hello"

# support.google.com/a/answer/3726730, "Gmail SMTP errors and codes"
GMAIL: list[tuple[Stage, str, Fault]] = [
    (R, "421 4.3.0 Temporary System Problem. Try again later", "relay"),
    (R, "421 4.4.5 Server busy, try again later.", "relay"),
    (R, "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.", "relay"),
    (
        D,
        "421 4.7.0 Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
        "relay",
    ),
    (H, "421 4.7.0 Try again later, closing connection. (EHLO)", "relay"),
    (R, "421 4.7.0 TLS required for RCPT domain, closing connection.", "relay"),
    (R, "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", "recipient"),
    (D, "451 4.3.0 Mail server temporarily rejected message.", "relay"),
    (D, "451 4.5.0 SMTP protocol violation, see RFC 2821.", "relay"),
    (R, "452 4.2.2 The email account that you tried to reach is over quota.", "recipient"),
    (R, "452 4.5.3 Your message has too many recipients.", "limit"),
    (L, "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later.", "login"),
    (L, "535 5.7.8 Username and Password not accepted.", "login"),
    (L, "534 5.7.9 Application-specific password required.", "login"),
    (M, "530 5.7.0 Authentication Required.", "login"),
    (M, "530 5.7.0 Must issue a STARTTLS command first.", "login"),
    (R, "550 5.1.1 The email account that you tried to reach does not exist.", "recipient"),
    (R, "550 5.2.1 The email account that you tried to reach is disabled.", "recipient"),
    (D, "550 5.4.5 Daily SMTP relay sending limit exceeded for user.", "limit"),
    (D, "550 5.4.5 Daily user sending quota exceeded.", "limit"),
    (D, "550 5.7.0 Mail relay denied.", "relay"),
    (M, "550 5.7.1 Invalid credentials for relay.", "login"),
    (D, "550 5.7.26 This mail is unauthenticated, which poses a security risk to the sender.", "relay"),
    (D, "550 5.7.1 The IP you're using to send mail is not authorized to send email directly to our servers.", "relay"),
    (D, "552 5.2.3 Your message exceeded Google's message size limits.", "message"),
    (D, "552 5.7.0 This message was blocked because its content presents a potential security issue.", "message"),
    (R, "553 5.1.2 We weren't able to find the recipient domain.", "recipient"),
    (D, "550 5.7.1 Our system has detected that this message is likely unsolicited mail.", "message"),
]

# learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online, and "Fix issues
# with printers, scanners and LOB applications" beside it
EXCHANGE: list[tuple[Stage, str, Fault]] = [
    (D, "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded", "recipient"),
    (D, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", "limit"),
    (R, "451 4.7.500 Server busy. Please try again later from [192.0.2.1].", "relay"),
    (R, "452 4.3.1 Insufficient system resources", "relay"),
    (R, "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "recipient"),
    (M, "550 5.1.8 Access denied, bad outbound sender", "relay"),
    (
        D,
        "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        "limit",
    ),
    (R, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "recipient"),
    (R, "554 5.2.2 mailbox full", "recipient"),
    (D, "554 5.2.252 SendAsDenied; watch@example.org not allowed to send as desk@example.org", "relay"),
    (R, "550 5.4.1 Recipient address rejected: Access denied.", "recipient"),
    (M, "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM", "login"),
    (L, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", "login"),
    (L, "535 5.7.3 Authentication unsuccessful", "login"),
    (D, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "relay"),
    (R, "550 5.7.64 TenantAttribution; Relay Access Denied", "relay"),
    (R, "550 5.7.124 Sender not in allowed-senders list", "recipient"),
    (R, "550 5.7.133 Sender not authenticated for group", "recipient"),
    (D, "550 5.7.501 Access denied, spam abuse detected", "relay"),
    (R, "550 5.7.505 Access denied, banned recipient", "recipient"),
    (R, "550 5.7.506 Access Denied, Bad HELO", "relay"),
    (D, "550 5.7.509 Access denied, sending domain example.org does not pass DMARC verification", "relay"),
    (D, "550 5.7.512 Access denied, message must be RFC 5322 section 3.6.2 compliant", "message"),
    (R, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "relay"),
    (D, "550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.", "relay"),
    (D, "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains", "relay"),
    (R, "550 5.7.1 Unable to relay", "relay"),
    (D, "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "message"),
]

# postfix.org, smtpd_check.c and access(5): the part that is rejected is in the words, whatever the stage
POSTFIX: list[tuple[Stage, str, Fault]] = [
    (R, "554 5.7.1 <a@example.net>: Relay access denied", "relay"),
    (R, "454 4.7.1 <a@example.net>: Relay access denied", "relay"),
    (R, "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", "relay"),
    (R, "450 4.7.1 <abc123>: Helo command rejected: Host not found", "relay"),
    (R, "553 5.7.1 <watch@example.org>: Sender address rejected: not owned by user desk", "relay"),
    (R, "450 4.1.8 <watch@example.org>: Sender address rejected: Domain not found", "relay"),
    (R, "550 5.1.8 <watch@example.org>: Sender address rejected: Domain not found", "relay"),
    (R, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "relay"),
    (R, "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "relay"),
    (R, "550 5.1.1 <x@example.org>: Recipient address rejected: User unknown in local recipient table", "recipient"),
    (R, "450 4.2.0 <x@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example", "recipient"),
    (R, "451 4.3.5 <x@example.org>: Recipient address rejected: Server configuration error", "recipient"),
    (R, "451 4.3.0 <x@example.org>: Temporary lookup failure", "relay"),
    (R, "452 4.3.1 Insufficient system storage", "relay"),
    (R, "450 4.7.1 Error: too much mail from 192.0.2.1", "limit"),
    (D, "552 5.3.4 Message size exceeds fixed limit", "message"),
    (D, "554 5.7.1 id=123 - SPAM", "message"),
    (R, "550 5.7.1 <x@example.org>: Recipient address rejected: Message rejected due to SPF fail", "recipient"),
]

# exim.org, the default configuration and smtp_in.c, acl.c
EXIM: list[tuple[Stage, str, Fault]] = [
    (R, "550 relay not permitted", "relay"),
    (R, "550 Sender verify failed", "relay"),
    (R, "451 Could not complete sender verify callout", "relay"),
    (R, "451 Could not complete recipient verify callout", "recipient"),
    (R, "550 Unrouteable address", "recipient"),
    (M, "452 Space shortage, please try later", "relay"),
    (R, "451 Temporary local problem - please try later", "recipient"),
    (L, "535 Incorrect authentication data", "login"),
    (R, "550 authentication required", "login"),
    (H, "501 Syntactically invalid HELO argument(s)", "relay"),
    (D, "552 Message size exceeds maximum permitted", "message"),
    (D, "550 This message scored 9.1 spam points.", "message"),
    (R, "451 Greylisted, please try again in 300 seconds", "recipient"),
    (R, "421 Too many concurrent SMTP connections; please try again later.", "limit"),
]

# docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html and troubleshoot-error-messages.html
SES: list[tuple[Stage, str, Fault]] = [
    (D, "454 Throttling failure: Maximum sending rate exceeded", "limit"),
    (D, "454 Throttling failure: Daily message quota exceeded", "limit"),
    (D, "554 Message rejected: Email address is not verified. The following identities failed the check", "relay"),
    (D, "554 Access denied: User is not authorized to perform ses:SendRawEmail", "relay"),
    (D, "554 Message rejected: Sending paused for this account.", "relay"),
    (L, "535 Authentication Credentials Invalid", "login"),
    (M, "530 Authentication required", "login"),
    (D, "451 Temporary service failure", "message"),
    (D, "554 Transaction failed: Missing final '@domain'", "message"),
]

# help.mailgun.com (authorized recipients, sandbox domains), as quoted in public reports of its users
MAILGUN: list[tuple[Stage, str, Fault]] = [
    (
        R,
        "421 Domain sandbox1.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only.",
        "relay",
    ),
    (D, "554 Sandbox subdomains are for test purposes only. Please add your own domain", "relay"),
    (R, "421 Domain example.org is not allowed to send: Please activate your Mailgun account.", "relay"),
    (L, "535 5.7.0 Mailgun is not loving your login or password", "login"),
    (R, "550 5.7.1 Relaying denied", "relay"),
    (D, "550 5.1.1 Recipient is on the list of bounced addresses", "recipient"),
]

TABLE = [*GMAIL, *EXCHANGE, *POSTFIX, *EXIM, *SES, *MAILGUN]


def test_the_table_is_large() -> None:
    assert len(TABLE) >= 60


@pytest.mark.parametrize(("stage", "line", "fault"), TABLE, ids=[f"{line[:40]}" for _, line, _ in TABLE])
def test_what_a_real_answer_says(stage: Stage, line: str, fault: Fault) -> None:
    code, _, text = line.partition(" ")
    reply = read_reply(int(code), text, stage)
    assert (reply.fault, reply.lasting) == (fault, code.startswith("5"))


@example(552, "5.1.1 ", "", "sender")
@example(552, "", "mailbox full", "sender")
@given(
    st.integers(400, 599),
    st.sampled_from(["", "4.7.1 ", "5.7.1 ", "5.1.1 ", "5.2.2 ", "5.7.512 "]),
    st.text(max_size=60),
    st.sampled_from(["connect", "hello", "tls", "login", "sender"]),
)
def test_before_a_recipient_is_named_no_recipient_is_at_fault(code: int, status: str, text: str, stage: Stage) -> None:
    assert read_reply(code, status + text, stage).fault != "recipient"


@pytest.mark.parametrize("reason", ["not owned by user x", "Domain not found", "undeliverable address"])
@pytest.mark.parametrize("code", ["450 4.1.8", "550 5.7.1", "553 5.7.1", "554 5.1.0", "553"])
def test_a_rejected_sender_is_never_the_recipient_s_fault(code: str, reason: str) -> None:
    number, _, status = code.partition(" ")
    text = f"{status} <watch@example.org>: Sender address rejected: {reason}".strip()
    assert read_reply(int(number), text, "recipient").fault == "relay"
