"""hl7-receiver.py PORT -- an HL7 server with python3-hl7's own MLLP streams: acknowledges every message it reads.
Answers AE to a message whose control id ends in X."""
import asyncio
import sys

import hl7.mllp


async def serve(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            control_id = str(message.segment("MSH")[10])
            writer.writemessage(message.create_ack(ack_code="AE" if control_id.endswith("X") else "AA",
                                                   message_id="R" + control_id))
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass                # the client has gone
    finally:
        writer.close()
        await writer.wait_closed()


async def main():
    server = await hl7.mllp.start_hl7_server(serve, None, int(sys.argv[1]), limit=1 << 20)
    async with server:
        await server.serve_forever()


asyncio.run(main())
