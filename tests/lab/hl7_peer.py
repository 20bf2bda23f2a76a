#!/usr/bin/python3
"""The other side of the laboratory's HL7 interface, with python3-hl7: not our code.

    hl7_peer.py send ADDRESS PORT FIRST LAST     requests P<FIRST>…P<LAST>, one after the other; a line "ID ACK" for each
    hl7_peer.py bad ADDRESS PORT ID              a message that a laboratory does not take
    hl7_peer.py receive ADDRESS PORT FILE COUNT  takes COUNT results, says AA, writes their control ids into FILE
"""

import asyncio
import sys

import hl7
from hl7.client import MLLPClient
from hl7.mllp import start_hl7_server


def request(control_id, kind="ORM^O01"):
    return (f"MSH|^~\\&|DPI|HR1|LIS|LAB|20220907120000||{kind}|{control_id}|P|2.5\r"
            f"PV1|1|I|W001^1\rORC|NW|{control_id}-R\rOBR|1|{control_id}-R||NA\r")


def send(address, port, messages):
    with MLLPClient(address, port) as client:
        for control_id, message in messages:
            answer = hl7.parse(client.send_message(message).decode().strip("\x0b\x1c\r"))
            said = answer.segment("MSA")
            assert str(said[2]) == control_id, "acknowledges another message"
            print(control_id, said[1], flush=True)


async def receive(address, port, path, count):
    got = []
    done = asyncio.Event()

    async def take(reader, writer):
        try:
            while True:
                message = await reader.readmessage()
                got.append(str(message.segment("MSH")[10]))
                with open(path, "a", encoding="ascii") as file:
                    file.write(got[-1] + "\n")
                writer.writemessage(message.create_ack())
                await writer.drain()
                if len(got) >= count:
                    done.set()
        except asyncio.IncompleteReadError:
            writer.close()

    async with await start_hl7_server(take, host=address, port=port):
        await done.wait()
        await asyncio.sleep(0.5)


def main():
    what = sys.argv[1]
    if what == "send":
        send(sys.argv[2], int(sys.argv[3]), [(f"P{n}", request(f"P{n}")) for n in range(int(sys.argv[4]), int(sys.argv[5]) + 1)])
    elif what == "bad":
        send(sys.argv[2], int(sys.argv[3]), [(sys.argv[4], request(sys.argv[4], "SIU^S12"))])
    elif what == "receive":
        asyncio.run(receive(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])))


if __name__ == "__main__":
    main()
