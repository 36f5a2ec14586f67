"""What the observations of public captures must be; run by truth.sh."""
import json
import os
import subprocess

spanward = os.environ["BUILD"] + "/bin/spanward"
root = os.environ["CAPTURES"]


def see(path):
    run = subprocess.run([spanward, "replay", "--show", "observations", "--format", "jsonl", f"{root}/{path}"],
                         capture_output=True, text=True)
    assert run.returncode == 0, (path, run.returncode, run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(path, want):
    got = see(path)
    assert len(got) == len(want), (path, [o["type"] for o in got])
    for o, w in zip(got, want):
        for key, value in w.items():
            if value is None:
                assert key not in o, (path, key, o)
            elif callable(value):
                assert value(o.get(key)), (path, key, o.get(key))
            else:
                assert o.get(key) == value, (path, key, o.get(key), value)


ILE, ELE, EBE, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
echo = "local-only/pcap/medical/dicom/ICS-Pcaps__DICOM_DICOM.pcap"
check(echo, [
    dict(type="dicom.associate_request", packet=5, src="192.168.1.68:52706", dst="192.168.1.70:4242", calling_ae="ECHOSCU",
         called_ae="ANY-SCP", implementation_uid="1.2.276.0.7230010.3.0.3.6.2", implementation_version="OFFIS_DCMTK_362",
         max_pdu=16384, contexts=[{"id": 1, "abstract_syntax": "1.2.840.10008.1.1", "transfer_syntaxes": [ILE]}]),
    dict(type="dicom.associate_accept", packet=7, src="192.168.1.70:4242", implementation_version="OFFIS_DCMTK_362",
         contexts=lambda c: len(c) == 1 and c[0]["id"] == 1 and c[0]["result"] == 0 and c[0]["transfer_syntaxes"] == [ILE]),
    dict(type="dicom.command", packet=11, command="C-ECHO-RQ", message_id=1, sop_class="1.2.840.10008.1.1"),
    dict(type="dicom.command", packet=15, command="C-ECHO-RSP", status="0x0000", responded_id=1),
    dict(type="dicom.release", packet=17, release="request"),
    dict(type="dicom.release", packet=19, release="response"),
])
FIND = ["1.2.840.10008.5.1.4.1.2.1.1", "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.3.1", "1.2.840.10008.5.1.4.31"]
check("pcap/medical/dicom/tapirx__testdata_dicom_arq_1_find_testclient.pcap", [
    dict(type="dicom.associate_request", packet=1, src="127.0.0.1:49531", dst="127.0.0.1:104", calling_ae="testclient",
         called_ae="testserver", max_pdu=4194304, implementation_uid="1.2.826.0.1.3680043.9.7133.1.1",
         implementation_version="GODICOM_1_1",
         contexts=lambda c: [x["abstract_syntax"] for x in c] == FIND
         and all(sorted(x["transfer_syntaxes"]) == sorted([ILE, ELE, EBE, DEFLATED]) for x in c)),
])
check("pcap/medical/dicom/tapirx__testdata_dicom_arq_2_get_testclient.pcap", [
    dict(type="dicom.associate_request", packet=2, calling_ae="testclient", called_ae="testserver",
         contexts=lambda c: len(c) == 123 and all(len(x["transfer_syntaxes"]) == 4 for x in c)),
])
ends = dict(sending_app="SENDING_APPLICATION", sending_facility="SENDING_FACILITY", receiving_app="RECEIVING_APPLICATION",
            receiving_facility="RECEIVING_FACILITY", version="2.3")
check("pcap/medical/hl7/tapirx__testdata_HL7-ADT.pcap", [
    dict(type="hl7.message", packet=4, message_type="ADT^A01", control_id="934576120110613083617", **ends),
    dict(type="hl7.ack", packet=5, ack_code="AA", acked_control_id="934576120110613083617", paired=True),
])
check("pcap/medical/hl7/tapirx__testdata_HL7-ADT-UDI-OBX.pcap", [
    dict(type="hl7.device", packet=4, device_from="OBX-18", device_id="Hospira Plum A+"),
    dict(type="hl7.message", packet=4, message_type="ADT^A01"), dict(type="hl7.ack", packet=5, ack_code="AA"),
])
check("pcap/medical/hl7/tapirx__testdata_HL7-ORM.pcap", [
    dict(type="hl7.order", packet=4, order_control="NW", order=lambda t: len(t) == 32), dict(type="hl7.order", packet=4),
    dict(type="hl7.message", message_type="ORM^O01", control_id="59689", sending_app="SendingApp", sending_facility="SendingFac",
         receiving_app="ReceivingApp", receiving_facility="ReceivingFac"),
    dict(type="hl7.ack", ack_code="AA", acked_control_id="59689", paired=True),
])

# The synthetic captures put their text on SYN packets. Data on a SYN is legal (RFC 9293, 3.4): the stream starts at its first
# byte. In the replay capture three packets carry sequence number 0 in one connection: the second and third are
# retransmissions of sequence numbers already seen, so a correct TCP hands one message to the application, not three. The
# third is the second one again, byte for byte with its IP id: a mirror's duplicate. The second one's last word differs from
# the first's (REPLAY, UNIQUE1); what HL7 has read is not kept, so it counts as bytes seen twice, not as a conflict.
S = "pcap/medical/hl7-synthetic/Medical-Packet-Analyzer-MPA-__demo_"
plain = dict(type="hl7.message", framing="unframed")
check(S + "replay_attack.pcap", [dict(plain, message_type="ADT^A01", control_id="123", src="192.168.1.5:12345",
                                      dst="192.168.1.10:2575")])
stats = subprocess.run([spanward, "replay", "--show", "stats", "--format", "jsonl", f"{root}/{S}replay_attack.pcap"],
                       capture_output=True, text=True)
counters = {c["counter"]: c["value"] for c in map(json.loads, stats.stdout.splitlines()) if "counter" in c}
assert (counters["stream_overlap_bytes"], counters["duplicates"]) == (78, 1), counters
check(S + "unencrypted_hl7.pcap", [dict(plain, message_type="ORU^R01", control_id="456", dst="192.168.1.10:80")])
check(S + "data_exfiltration.pcap", [dict(plain, message_type="ORM^O01", control_id="999", dst="8.8.8.8:2575")])
spike = see(S + "traffic_spike.pcap")
assert spike and all(o["type"] == "hl7.message" for o in spike), [o["type"] for o in spike]
assert len({o["flow"] for o in spike}) == len(spike)
print(f"traffic_spike: {len(spike)} messages of 51 packets")
assert len(spike) == 51, len(spike)
print("10 captures as they were read by hand")
