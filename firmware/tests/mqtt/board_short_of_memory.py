"""A board whose memory runs out again and again while its MQTT client works. Runs under MicroPython.

Options come as one JSON line: port, seed. When memory is back, 20 messages must get through: `done` tells.
"""

import asyncio
import gc
import json
import random
import sys

from greenmast_fw.mqtt import client as mqtt

ROUNDS = 200
state = {"starving": True, "sent": 0}
held = [None] * 2000


def take_everything():
    size = 2048
    count = 0
    while size >= 16 and count < len(held):
        try:
            held[count] = bytearray(size)
            count += 1
        except MemoryError:
            size //= 2
    return count


def give_back():
    for index in range(len(held)):
        held[index] = None


async def starve():
    for _ in range(ROUNDS):
        count = take_everything()
        # a little is left, so that the client fails at another place every time
        for _ in range(random.getrandbits(4)):
            held[random.getrandbits(16) % count] = None
        await asyncio.sleep_ms(random.getrandbits(4))
        give_back()
        await asyncio.sleep_ms(random.getrandbits(5))
    state["starving"] = False


async def publish(client):
    while state["starving"]:
        try:
            await client.publish("t/cmd", b"x" * 100)
            state["sent"] += 1
        except MemoryError:
            await asyncio.sleep_ms(1)


async def main(port, seed):
    random.seed(seed)
    mqtt.FIRST_WAIT_MS = 2
    mqtt.LAST_WAIT_MS = 16
    client = mqtt.MqttClient(
        "127.0.0.1",
        port,
        "b",
        on_message=lambda *_: None,
        on_connect=lambda *_: None,
        subscriptions=["t/cmd"],
        keepalive_s=2,
    )
    tasks = [asyncio.create_task(coro) for coro in (client.run(), starve(), publish(client), publish(client))]
    for task in tasks[1:]:
        await task
    give_back()
    gc.collect()
    for _ in range(20):
        await client.publish("t/tele", b"y" * 100)
    while client.stats.acknowledged < state["sent"] + 20:
        await asyncio.sleep_ms(10)
    print(json.dumps({"event": "done", "sent": state["sent"], "errors": client.stats.errors}))


asyncio.run(main(**json.loads(sys.stdin.readline())))
