"""What the user of an external server must be permitted (ACL): asked before a script is refused halfway.

A script that is refused in the middle has written what comes before. So each call is asked for at the start, and again
each minute: https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis import exceptions

from watchpost.errors import StoreUnfit
from watchpost.store.client import Store, json_argument

ON_ONE_KEY = (
    *("DEL", "EXISTS", "EXPIRE", "GET", "HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HKEYS", "HLEN", "HMGET"),
    *("HSET", "HSETNX", "HVALS", "INCR", "LLEN", "LRANGE", "LTRIM", "MGET", "PERSIST", "PEXPIRE", "RPUSH", "SADD"),
    *("SET", "SMEMBERS", "XACK", "XADD", "XAUTOCLAIM", "XCLAIM", "XDEL", "XLEN", "XPENDING", "XRANGE", "XREVRANGE"),
    *("XTRIM", "ZADD", "ZCARD", "ZCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZREM", "ZREMRANGEBYRANK"),
    *("ZREMRANGEBYSCORE", "ZSCORE"),
)
ON_ONE_CHANNEL = ("PUBLISH", "SUBSCRIBE")
_OTHERS = (
    ("EVALSHA", "0" * 40, "0"),
    ("EXEC",),
    ("INFO",),
    ("MULTI",),
    ("PING",),
    ("SCAN", "0"),
    ("SCRIPT", "LOAD", "return 1"),
    ("TIME",),
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What this user lacks: `commands`, and whether the `channel` is closed to it. `rule` is what permits both."""

    commands: tuple[str, ...]
    channel: bool
    rule: str

    @property
    def hint(self) -> str:
        """A sentence if only the channel is closed, else "". Everything is sent then, up to a second later."""
        if not self.channel:
            return ""
        return f"the user of the store may not use its channel, so alerts start up to a second later: {self.rule}"


def rule_for(user: str, prefix: str) -> str:
    """The command that permits a user what watchpost needs under this prefix, and nothing dangerous."""
    return f"ACL SETUSER {user} ~{prefix}* &{prefix}* +@all -@dangerous +info"


async def rights(store: Store) -> Rights:
    """Ask the server what it permits; it runs none of it. Raises StoreError."""
    key, channel = f"{store.keys.prefix}meta", store.keys.parked
    calls = [
        *([name, key] for name in ON_ONE_KEY),
        ["XREADGROUP", "GROUP", "g", "c", "STREAMS", key, ">"],
        *(["XGROUP", verb, key, "g", "c"] for verb in ("CREATE", "DELCONSUMER")),
        *(["XINFO", verb, key, "g"] for verb in ("GROUPS", "CONSUMERS")),
        *(list(call) for call in _OTHERS),
        *([name, channel] for name in ON_ONE_CHANNEL),
    ]
    refused = [calls[int(position) - 1][0] for position in await store.run("rights", [], [json_argument(calls=calls)])]
    commands = tuple(dict.fromkeys(name for name in refused if name not in ON_ONE_CHANNEL))
    return Rights(commands, any(name in ON_ONE_CHANNEL for name in refused), rule_for(await _user(store), key[:-4]))


async def require_rights(store: Store) -> Rights:
    """As `rights`. Raises StoreUnfit, with the cure, if a command is refused: a step would be left half done."""
    try:
        found = await rights(store)
    except StoreUnfit as error:
        cure = rule_for(await _user(store), store.keys.prefix)
        raise StoreUnfit(f"{error}; it needs {cure}") from error
    if found.commands:
        names = ", ".join(name.lower() for name in found.commands[:8])
        more = f" and {len(found.commands) - 8} more" if len(found.commands) > 8 else ""
        raise StoreUnfit(f"the store refuses this user {names}{more}: {found.rule}")
    return found


async def _user(store: Store) -> str:
    try:
        return str((await store.redis.execute_command("ACL", "WHOAMI")).decode("utf-8", "replace"))
    except (exceptions.RedisError, OSError):
        return "USER"
