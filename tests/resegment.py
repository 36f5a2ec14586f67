"""Replays captures whole and recut, and compares; run by resegment.sh."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import recut

spanward = os.environ["BUILD"] + "/bin/spanward"
SIZES = (1, 2, 5, 6, 7, 10, 536, 1448)


def observations(path):
    """Per direction of each flow, in order. The flow is renumbered by first appearance, so that it is still compared; which
    of two directions completes first is a matter of packets, so the order is compared within each."""
    # nDPI is shown the first eight payloads as they came, so what it names depends on how they were cut.
    run = subprocess.run([spanward, "replay", "--ndpi", "off", "--show", "observations", "--format", "jsonl", "-q", path],
                         capture_output=True)
    assert run.returncode in (0, 4), (path, run.returncode, run.stderr)
    flows, ways = {}, {}
    for line in run.stdout.splitlines():
        o = json.loads(line)
        for derived in ("packet", "ts", "file"):
            o.pop(derived, None)
        if "flow" in o:
            o["flow"] = flows.setdefault(o["flow"], len(flows))
        ways.setdefault((o.get("flow"), o.get("src")), []).append(o)
    return ways


captures = sorted(glob.glob("test-pcaps/**/*.pcap", recursive=True) + glob.glob("test-pcaps/**/*.pcapng", recursive=True))
# What those of decode/ are about is their envelopes (envelopes.sh), those of verdicts/ their policies (verdicts.sh).
captures = [c for c in captures if not c.startswith(("test-pcaps/decode/", "test-pcaps/verdicts/"))]
public = "../shared/captures"
if os.path.isdir(public):
    captures += sorted(glob.glob(public + "/pcap/medical/**/*.pcap", recursive=True)
                       + glob.glob(public + "/local-only/pcap/medical/dicom/*.pcap"))
else:
    print(f"note: no {public}: only the captures of the project")
tried = added = messages = 0
with tempfile.TemporaryDirectory() as tmp:
    for path in captures:
        whole = observations(path)
        messages += sum(map(len, whole.values()))
        for n in SIZES:
            made = recut.recut(n, path, tmp + "/cut.pcap")
            if made is None:
                print(f"left out: {path} (mixed link types)")
                break
            parts = observations(tmp + "/cut.pcap")
            if parts != whole:
                for way in sorted(set(whole) | set(parts), key=str):
                    a, b = whole.get(way, []), parts.get(way, [])
                    for x, y in zip(a + [None] * len(b), b + [None] * len(a)):
                        if x != y:
                            print("whole:", x, "\ncut:  ", y)
                            break
                sys.exit(f"FAIL: {path} in segments of {n}")
            tried += 1
            added += made
assert added > 10000 and messages > 300, f"hardly anything was cut ({added}) or said ({messages}): the test does not test"
print(f"{tried} replays equal, {added} segments added, {messages} observations each way")
