"""MQTT topics: `greenmast/1/<site>/<kind>` plus `/<client>` for requests and answers. Knows no payloads."""

ROOT = "greenmast/1"
PREFIX = ROOT + "/"

STATE = "state"  # retained, and the will
INFO = "info"  # retained
ALARMS = "alarms"  # retained
TELE = "tele"
LOG = "log"
ACK = "ack"
REQ = "req"  # + client
RSP = "rsp"  # + client

KINDS = (STATE, INFO, ALARMS, TELE, LOG, ACK, REQ, RSP)
RETAINED = (STATE, INFO, ALARMS)
QOS = 1

_WITH_CLIENT = (REQ, RSP)
NAME_LENGTH_MAX = 32
_SITE = "abcdefghijklmnopqrstuvwxyz0123456789-"
_CLIENT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def site_problem(site: str) -> str:
    """ "" when `site` is a site id: 1 to 32 of `a-z 0-9 -`, no hyphen at either end. Else what is wrong."""
    text = _name_problem(site, _SITE)
    if not text and (site[0] == "-" or site[-1] == "-"):
        text = "begins or ends with a hyphen"
    return text


def client_problem(client: str) -> str:
    """ "" when `client` may stand in a topic: 1 to 32 of `A-Z a-z 0-9 - _`. Else what is wrong."""
    return _name_problem(client, _CLIENT)


def build(site: str, kind: str, client: str = "") -> str:
    """The topic. Raises ValueError for a bad site, kind or client; only `req` and `rsp` have a client."""
    text = site_problem(site)
    if text:
        raise ValueError("site id %s" % text)
    if kind not in KINDS:
        raise ValueError("no such kind of topic: %s" % kind)
    if kind not in _WITH_CLIENT:
        if client:
            raise ValueError("%s has no client" % kind)
        return "%s%s/%s" % (PREFIX, site, kind)
    text = client_problem(client)
    if text:
        raise ValueError("client id %s" % text)
    return "%s%s/%s/%s" % (PREFIX, site, kind, client)


def parse(topic: str) -> "tuple[str, str, str] | None":
    """(site, kind, client or "") of a topic of ours, or None."""
    if not topic.startswith(PREFIX):
        return None
    parts = topic[len(PREFIX) :].split("/")
    if len(parts) < 2 or site_problem(parts[0]) or parts[1] not in KINDS:
        return None
    if parts[1] not in _WITH_CLIENT:
        return (parts[0], parts[1], "") if len(parts) == 2 else None
    if len(parts) != 3 or client_problem(parts[2]):
        return None
    return parts[0], parts[1], parts[2]


def _name_problem(name: str, allowed: str) -> str:
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        return "must have 1 to %d characters" % NAME_LENGTH_MAX
    for c in name:
        if c not in allowed:
            return "may not contain %r" % c
    return ""
