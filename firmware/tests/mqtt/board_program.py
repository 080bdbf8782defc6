"""A board reduced to its MQTT client, for tests: options come as one JSON line, events go out as JSON lines.

Runs under MicroPython. Events: `connect` (session), `message` (topic, payload, retained, dup), `stats`
whenever they changed, `done` when everything to be published is acknowledged.
"""

import asyncio
import json
import sys

from greenmast_fw.mqtt import client as mqtt


def tls_context(files):
    import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    with open(files["ca"], "rb") as file:
        context.load_verify_locations(file.read())
    if "cert" in files:
        with open(files["cert"], "rb") as cert, open(files["key"], "rb") as key:
            context.load_cert_chain(cert.read(), key.read())
    return context


def emit(event, **values):
    values["event"] = event
    print(json.dumps(values))


def on_message(topic, payload, retained, dup):
    if bytes(payload) == b"raise":
        raise KeyError(topic)
    if bytes(payload) == b"memory":
        bytearray(1 << 24)
    text = str(bytes(payload[:40]), "utf-8")
    emit("message", topic=str(topic, "utf-8"), payload=text, retained=retained, dup=dup)


async def publish_all(client, topic, count, size, gap_ms, retain):
    filler = b"." * (size - 6)
    for number in range(count):
        await client.publish(topic, b"%06d" % number + filler, retain=retain)
        if gap_ms:
            await asyncio.sleep_ms(gap_ms)
    while client.stats.acknowledged < count:
        await asyncio.sleep_ms(10)
    emit("done")


async def cancel_publishes(client, topic):
    """Publish without pause from tasks which are cancelled at once: none may harm the stream."""
    while True:
        task = asyncio.create_task(client.publish(topic, b"x" * 3000))
        await asyncio.sleep_ms(1)
        task.cancel()


async def report(client):
    last = None
    while True:
        now = dict(client.stats.__dict__)
        now["connected"] = client.connected
        now["error"] = repr(client.error)
        if now != last:
            last = now
            emit("stats", **now)
        await asyncio.sleep_ms(50)


async def main(options):
    if "tls" in options:
        options["tls"] = tls_context(options["tls"])
    if "will" in options:
        topic, payload, retain = options["will"]
        options["will"] = (topic, payload.encode(), retain)
    publish = options.pop("publish", None)
    cancel_topic = options.pop("cancel_publishes_to", None)
    mqtt.FIRST_WAIT_MS = options.pop("first_wait_ms", 50)
    mqtt.LAST_WAIT_MS = options.pop("last_wait_ms", 200)
    client = mqtt.MqttClient(
        on_message=on_message, on_connect=lambda session: emit("connect", session=session), **options
    )
    tasks = [asyncio.create_task(client.run()), asyncio.create_task(report(client))]
    if cancel_topic:
        tasks.append(asyncio.create_task(cancel_publishes(client, cancel_topic)))
    if publish:
        await publish_all(client, **publish)
    await tasks[0]


asyncio.run(main(json.loads(sys.stdin.readline())))
