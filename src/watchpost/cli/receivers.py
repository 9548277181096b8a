"""`watchpost receiver …`: the receivers listed, tested and enabled again."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from watchpost.cli.command import CommandApp
from watchpost.cli.options import JsonOption, ReceiverArgument
from watchpost.cli.output import echo, echo_json, echo_table, exact_time, pick
from watchpost.cli.session import open_config, running_service
from watchpost.errors import StoreError
from watchpost.exit_codes import FAILED, OK
from watchpost.plurals import count

if TYPE_CHECKING:
    from watchpost.config.config import Config, ReceiverConfig
    from watchpost.config.settings import Settings
    from watchpost.model import Delivery, Outcome

app = CommandApp(
    "docs/commands.md#receiver, docs/receivers.md", "watchpost receiver list", "watchpost receiver test newsroom"
)

_OUTCOMES = {"Delivered": "delivered", "TryLater": "not now", "Refused": "refused", "Unknown": "unknown"}


@app.command("list", reads="service")
async def receiver_list(as_json: JsonOption = False) -> None:
    """List the receivers, their state, and how much waits for them.

    watchpost receiver list
    """
    from watchpost.store.overview import Overview

    async with running_service() as (config, store):
        names, overview, now = [receiver.name for receiver in config.receivers], Overview(store), datetime.now(UTC)
        depths, states = await overview.depths(names), await overview.receivers(names)
    facts: list[dict[str, Any]] = []
    for receiver in config.receivers:
        state = states[receiver.name]
        until = state.till if state.till and state.till > now else None
        common = {"name": receiver.name, "type": receiver.kind, "state": state.status(now), "until": until}
        facts.append(common | {"waiting": depths.waiting_for(receiver.name), "why": state.why})
    if as_json:
        echo_json({"receivers": facts})
        return
    rows = (each | {"until": exact_time(each["until"])} for each in facts)
    echo_table(
        ("NAME", "TYPE", "STATE", "UNTIL", "WAITING", "WHY"), ([*map(str, row.values())] for row in rows), ("WHY",)
    )


@app.command("enable", reads="service")
async def receiver_enable(name: ReceiverArgument, as_json: JsonOption = False) -> None:
    """Enable a receiver that is disabled or paused, and send it what waits.

    watchpost receiver enable newsroom
    """
    from watchpost.operations import factory
    from watchpost.operations.deliveries import enable_receiver

    async with running_service() as (config, store):
        pick("receiver", name, {receiver.name: receiver for receiver in config.receivers})
        sent = await enable_receiver(config, store, name, factory.operator())
    if as_json:
        echo_json({"enabled": name, "retried": sent})
    else:
        waited = f"{count(sent, 'message')} that waited {'is' if sent == 1 else 'are'} sent now"
        echo(f"{name} is enabled; {waited if sent else 'nothing was waiting'}")


@app.command("test", reads="service")
async def receiver_test(name: ReceiverArgument, as_json: JsonOption = False) -> int:
    """Send a message that is marked as a test, and show the answer.

    watchpost receiver test newsroom

    No service needs to run. If one runs and the test succeeds, the receiver is enabled again. Ends with 1 if the
    message is not accepted.
    """
    settings, config = open_config()
    receiver = pick("receiver", name, {receiver.name: receiver for receiver in config.receivers})
    results = await _send_sample(config, receiver)
    ok = all(_outcome(outcome) == "delivered" for _, outcome, _ in results)
    if ok:
        await _enable_if_disabled(config, receiver, settings)
    if as_json:
        facts = [
            {"id": delivery.id, "outcome": _outcome(outcome), "detail": outcome.detail}
            | {"milliseconds": round(seconds * 1000)}
            for delivery, outcome, seconds in results
        ]
        echo_json({"receiver": name, "ok": ok, "messages": facts})
    else:
        for delivery, outcome, seconds in results:
            echo(f"{_outcome(outcome)} after {seconds * 1000:.0f} ms: {delivery.message.subject}: {outcome.detail}")
    return OK if ok else FAILED


def _outcome(outcome: Outcome) -> str:
    return _OUTCOMES[type(outcome).__name__]


async def _send_sample(config: Config, configured: ReceiverConfig) -> list[tuple[Delivery, Outcome, float]]:
    """Send a sample digest; of each of its messages the outcome, and how many seconds it took."""
    from watchpost.notify.digest_builder import deliveries_of
    from watchpost.notify.notices import sample_digest
    from watchpost.operations import factory

    receiver = factory.build_receivers(config, "test", factory.terminal())[configured.name]
    digest = sample_digest(configured.name, datetime.now(UTC), factory.installation_of(config, "test"))
    results = []
    for delivery in deliveries_of(digest, receiver.render(digest)):
        begun = perf_counter()
        outcome = await receiver.send(delivery)
        results.append((delivery, outcome, perf_counter() - begun))
    return results


async def _enable_if_disabled(config: Config, configured: ReceiverConfig, settings: Settings) -> None:
    from watchpost.operations import factory
    from watchpost.operations.deliveries import enable_receiver
    from watchpost.store.overview import Overview

    try:
        async with factory.look(settings, config) as store:
            if not (await Overview(store).receivers([configured.name]))[configured.name].healthy:
                await enable_receiver(config, store, configured.name, factory.operator())
    except StoreError:
        pass  # no service runs: then nothing is held back
