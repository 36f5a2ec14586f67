"""Sends DICOM files with storescu and compares our observations of their data sets with dcmdump; run by dcmdump.sh."""
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

SPANWARD = os.environ["BUILD"] + "/bin/spanward"
SHARED = "../shared/captures/dicom-files"
FIELDS = {"0008,0060": "modality", "0008,0070": "manufacturer", "0008,1090": "model", "0018,1000": "serial", "0018,1020": "software",
          "0008,1010": "station", "0008,0080": "institution", "0018,1002": "device_uid", "0008,0005": "charset"}
PROPOSE = {"LittleEndianExplicit": "-xe", "LittleEndianImplicit": "-xi", "BigEndianExplicit": "-xb", "DeflatedLittleEndianExplicit": "-xd",
           "JPEG2000": "-xw", "JPEG2000LosslessOnly": "-xv", "JPEGBaseline": "-xy", "JPEGExtended:Process2+4": "-xx",
           "JPEGLSLossless": "-xt", "JPEGLSLossy": "-xu", "JPEGLossless:Non-hierarchical-1stOrderPrediction": "-xs", "RLELossless": "-xr"}
# What is said otherwise than dcmdump says it, and why. Keyed by file and field; every row must be needed when the file is there.
DIFFERENCES = {
    ("pydicom-data/OBXXXX1A.dcm", "software"): "longer than the field admits: its beginning is said",
}
# For all: DICOM separates several values by a backslash; we do so by these.
SEPARATOR = {"software": ";", "charset": "~"}

OURS = """(0008,0005) CS [{charset}]
(0008,0016) UI [1.2.840.10008.5.1.4.1.1.7]
(0008,0018) UI [2.25.99{n}]
(0008,0060) CS [OT]
(0008,0070) LO [{maker}]
(0008,0080) LO [{institution}]
(0008,1010) SH [STATION-{n}]
(0008,1090) LO [{model}]
(0010,0010) PN [TESTCANARY^DUMP]
(0018,1000) LO [SN-{n}]
(0018,1002) UI [2.25.77{n}]
(0018,1020) LO [1.0\\2.1\\hotfix 3]
(0020,000d) UI [2.25.98{n}]
(0020,000e) UI [2.25.97{n}]
"""


def own_files(folder):
    """[(path, option)]: one text in several character sets, each in several transfer syntaxes."""
    texts = [("ISO_IR 192", "utf-8", "例示医療機器株式会社", "例示病院", "ER-400"),
             ("\\\\ISO 2022 IR 87".replace("\\\\", "\\"), "iso2022_jp", "例示医療機器", "例示病院", "ER-400"),
             ("ISO_IR 13", "shift_jis", "ｴｲｻﾞﾝﾌﾟﾙ", "ﾋﾞﾖｳｲﾝ", "ER-400"),
             ("ISO_IR 100", "latin-1", "Gerätebau Müller", "Hôpital", "ER-400")]
    made = []
    for n, (charset, encoding, maker, institution, model) in enumerate(texts):
        dump = os.path.join(folder, f"own{n}.dump")
        with open(dump, "wb") as f:
            f.write(OURS.format(charset=charset, n=n, maker=maker, institution=institution, model=model).encode(encoding))
        base = os.path.join(folder, f"own{n}.dcm")
        subprocess.run(["dump2dcm", "+te", dump, base], check=True, capture_output=True)
        for kind, convert, propose in (("explicit", "+te", "-xe"), ("implicit", "+ti", "-xi"), ("big", "+tb", "-xb"), ("deflated", "+td", "-xd")):
            path = os.path.join(folder, f"own{n}-{kind}.dcm")
            subprocess.run(["dcmconv", convert, base, path], check=True, capture_output=True)
            made.append((path, propose))
    return made


def shared_files():
    if not os.path.isdir(SHARED):
        print(f"note: no {SHARED} beside the project: only our own files")
        return []
    with open(os.path.join(SHARED, "INDEX.tsv"), newline="", encoding="utf-8") as f:
        rows = [r for r in csv.reader(f, delimiter="\t")][1:]
    return [(os.path.join(SHARED, r[0]), PROPOSE[r[2]]) for r in rows if r[6] == "yes" and r[2] in PROPOSE]


def dumped(path):
    """{field: value} of the outermost data set, by dcmdump in UTF-8."""
    command = ["dcmdump", "-q", "+p", "+L", "+U8"]
    for tag in FIELDS:
        command += ["+P", tag]
    # The declared character set as it stands: +U8 says its own instead, and says nothing of texts that it cannot convert.
    plain = subprocess.run([c for c in command if c != "+U8"] + [path], capture_output=True).stdout
    m = re.search(rb"\(0008,0005\) CS \[([^\]]*)\]", plain)
    charset = m.group(1).decode().strip() if m else None
    run = subprocess.run(command + [path], capture_output=True)
    text = run.stdout.decode("utf-8", "replace") if not run.returncode else \
        plain.decode("iso2022_jp" if charset and "IR 87" in charset else "latin-1", "replace")
    out = {}
    for line in text.splitlines():
        m = re.match(r"\(([0-9a-f]{4},[0-9a-f]{4})\) (..) (\[(.*)\]|=(\S+)|\(no value available\))\s+#", line)
        if m and m.group(1) in FIELDS and m.group(1) not in out:
            value = m.group(4) if m.group(4) is not None else m.group(5)
            if value is not None and value.strip(" \0"):
                out[m.group(1)] = value.strip(" \0")
    out.pop("0008,0005", None)
    if charset:
        out["0008,0005"] = charset
    # JIS X 0201 has the yen sign where ASCII has the separator.
    return {FIELDS[k]: re.sub(r"[\\¥]", SEPARATOR[FIELDS[k]], v) if FIELDS[k] in SEPARATOR else v for k, v in out.items()}


def send(files, folder):
    """The capture, and those of `files` that storescp took, in order."""
    capture = os.path.join(folder, "sent.pcap")
    received = os.path.join(folder, "in")
    os.mkdir(received)
    started = []
    try:
        subprocess.run(["ip", "link", "set", "lo", "mtu", "1500", "up"], check=True)
        tap = subprocess.Popen(["tcpdump", "-i", "lo", "-Z", "root", "--immediate-mode", "-U", "-B", "65536", "-s", "0", "-w", capture, "tcp"],
                               stderr=subprocess.PIPE, text=True)
        started.append(tap)
        while "listening on" not in tap.stderr.readline():
            if tap.poll() is not None:
                sys.exit("tcpdump does not start")
        scp = subprocess.Popen(["storescp", "-q", "+xa", "-pm", "-od", received, "11112"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        started.append(scp)
        while subprocess.run(["ss", "-Hltn", "sport = :11112"], capture_output=True).stdout == b"":
            time.sleep(0.1)
        sent = []
        for path, propose in files:
            code = subprocess.run(["storescu", "-q", "-R", propose, "-aet", "DUMP", "-aec", "SCP", "127.0.0.1", "11112", path],
                                  capture_output=True).returncode
            if code == 0:
                sent.append(path)
        time.sleep(0.5)
        tap.send_signal(signal.SIGINT)
        tap.wait()
        started.remove(tap)
    finally:
        for p in started:
            p.terminate()
            p.wait()
    return capture, sent


def said(capture):
    """Per association that stored something, in order: its observation of the data set, or {} when there is none."""
    run = subprocess.run([SPANWARD, "replay", "-q", "--show", "observations", "--format", "jsonl", capture], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"replay: exit {run.returncode}: {run.stderr}")
    stored, order = {}, []
    for o in map(json.loads, run.stdout.splitlines()):
        if o["type"] == "dicom.command" and o["command"] == "C-STORE-RQ":
            if o["flow"] not in order:
                order.append(o["flow"])
        elif o["type"] == "dicom.dataset":
            stored.setdefault(o["flow"], o)
    return [stored.get(flow, {}) for flow in order]


def main():
    with tempfile.TemporaryDirectory() as folder:
        own = own_files(folder)
        files = own + shared_files()
        capture, sent = send(files, folder)
        ours = said(capture)
        if len(ours) != len(sent) or len([p for p in sent if p.startswith(folder)]) != len(own):
            sys.exit(f"{len(sent)} files sent, {len(ours)} stores seen, {len(own)} of our own made")
        values, used, bad, refused = 0, set(), [], 0
        for path, o in zip(sent, ours):
            name = os.path.relpath(path, SHARED) if not path.startswith(folder) else os.path.basename(path)
            want = dumped(path)
            for field in FIELDS.values():
                a, b = want.get(field), o.get(field)
                if b == "(not admitted)" and a:
                    refused += 1
                elif a == b or (name, field) in DIFFERENCES:
                    values += a is not None
                    if a != b:
                        used.add((name, field))
                else:
                    bad.append(f"{name}: {field}: dcmdump {a!r}, ours {b!r}")
        if bad:
            print("\n".join(bad))
            sys.exit(f"{len(bad)} values differ")
        unused = {k for k in DIFFERENCES if os.path.exists(os.path.join(SHARED, k[0]))} - used
        if unused:
            sys.exit(f"no longer needed: {unused}")
        print(f"{len(sent)} of {len(files)} files sent and taken, {values} values as dcmdump has them, {refused} not admitted by their grammar, "
              f"{len(used)} otherwise for a reason")


main()
