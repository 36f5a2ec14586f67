#!/usr/bin/env python3
"""Workbooks for tests, made with nothing but zipfile: tables, MDS2 forms with invented answers, and hostile files.

usage: workbook.py seeds DIR            small workbooks for the fuzzer (fuzz/corpus/sheet_xlsx)
       workbook.py hostile DIR          what must be refused
       workbook.py vendors DIR          five tables of ports as five makers write them
       workbook.py register DIR         a device register of 300 units, those of the demonstration among them
       workbook.py mds2 FORM.csv DIR    the form of 2019 with invented answers, a copy with each trap, and what they hold
"""
import csv
import io
import json
import os
import re
import struct
import sys
import zipfile
import zlib
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PKG = "http://schemas.openxmlformats.org/package/2006/relationships"
STAMP = (2026, 1, 1, 0, 0, 0)


def letters(column):
    s = ""
    while column:
        column, r = divmod(column - 1, 26)
        s = chr(65 + r) + s
    return s


class Date(int):
    """A serial number shown as a date."""


class Formula(str):
    """The value of a formula, as last saved."""


def parts(sheets, inline=False, extra=None):
    """The parts of a workbook: sheets is [(name, [[cell, ...], ...]), ...]."""
    strings, index = [], {}

    def cell(r, c, v):
        at = f"{letters(c)}{r}"
        if v is None or v == "":
            return f'<c r="{at}" s="0"/>' if v == "" else ""
        if isinstance(v, Date):
            return f'<c r="{at}" s="1"><v>{int(v)}</v></c>'
        if isinstance(v, bool):
            return f'<c r="{at}" t="b"><v>{int(v)}</v></c>'
        if isinstance(v, (int, float)):
            return f'<c r="{at}"><v>{v}</v></c>'
        if isinstance(v, Formula):
            return f'<c r="{at}" t="str"><f>C6</f><v>{escape(v)}</v></c>'
        if inline:
            return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(v)}</t></is></c>'
        if v not in index:
            index[v] = len(strings)
            strings.append(v)
        return f'<c r="{at}" t="s"><v>{index[v]}</v></c>'

    out = {}
    for i, (_, rows) in enumerate(sheets):
        body = "".join(
            f'<row r="{r}">' + "".join(cell(r, c, v) for c, v in enumerate(row, 1)) + "</row>"
            for r, row in enumerate(rows, 1) if row)
        out[f"xl/worksheets/sheet{i + 1}.xml"] = (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="{MAIN}"><dimension ref="A1:AMH349"/>'
            f"<sheetData>{body}</sheetData></worksheet>")
    out["xl/workbook.xml"] = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><sheets>' + "".join(
            f'<sheet name="{escape(n)}" sheetId="{i + 1}" r:id="rId{i + 1}"/>' for i, (n, _) in enumerate(sheets)) +
        "</sheets></workbook>")
    n = len(sheets)
    out["xl/_rels/workbook.xml.rels"] = (
        f'<Relationships xmlns="{PKG}">' + "".join(
            f'<Relationship Id="rId{i + 1}" Type="{REL}/worksheet" Target="worksheets/sheet{i + 1}.xml"/>' for i in range(n)) +
        f'<Relationship Id="rId{n + 1}" Type="{REL}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId{n + 2}" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/></Relationships>')
    out["xl/styles.xml"] = (f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
                            "</styleSheet>")
    out["xl/sharedStrings.xml"] = (f'<sst xmlns="{MAIN}">' + "".join(
        f'<si><t xml:space="preserve">{escape(s)}</t></si>' for s in strings) + "</sst>")
    out["_rels/.rels"] = (f'<Relationships xmlns="{PKG}"><Relationship Id="rId1" Type="{REL}/officeDocument" '
                          'Target="xl/workbook.xml"/></Relationships>')
    out["[Content_Types].xml"] = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    out.update(extra or {})
    return out


def pack(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)


def save(path, sheets, **more):
    pack(path, parts(sheets, **more))


SMALL = [("Ports", [["Port", "Protocol", "Direction"], [104, "TCP", "Inbound"], ["5000-5010", "UDP", "発信"]]),
         ("備考", [["発行日", Date(43747)], [None, Formula("x")]])]


def seeds(folder):
    save(f"{folder}/small.xlsx", SMALL)
    save(f"{folder}/inline.xlsx", SMALL, inline=True)
    with zipfile.ZipFile(f"{folder}/stored.xlsx", "w", zipfile.ZIP_STORED) as z:
        for name, data in parts(SMALL[:1]).items():
            z.writestr(zipfile.ZipInfo(name, STAMP), data)
    # As programs write that cannot go back in their output: sizes behind the data.
    class Pipe(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            out.write(data)
            return len(data)
    with open(f"{folder}/streamed.xlsx", "wb") as out:
        pack(Pipe(), parts(SMALL))
    pack(f"{folder}/doctype.xlsx", parts(SMALL[:1], extra={
        "xl/worksheets/sheet1.xml": '<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>'}))


def bomb(path, declared):
    """A sheet of 4 GiB of blanks in 4 MiB. `declared`: what the directory says of its size."""
    head = b'<worksheet xmlns="x"><sheetData>'
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = c.compress(head) + c.flush(zlib.Z_FULL_FLUSH)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    blanks = c.compress(b" " * (1 << 20)) + c.flush(zlib.Z_FULL_FLUSH)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    last = c.flush(zlib.Z_FINISH)
    data = first + blanks * 4095 + last
    files = parts(SMALL[:1])
    del files["xl/worksheets/sheet1.xml"]
    b = io.BytesIO()
    pack(b, files)
    whole = b.getvalue()
    at = whole.rindex(b"PK\5\6")
    entries, size, offset = struct.unpack("<HII", whole[at + 10:at + 20])
    name = b"xl/worksheets/sheet1.xml"
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5c21, 0, len(data), declared, len(name), 0)
    local = b"PK\3\4" + fields + name + data
    central = b"PK\1\2" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
    directory = whole[offset:offset + size] + central
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, entries + 1, entries + 1, len(directory), offset + len(local), 0)
    with open(path, "wb") as f:
        f.write(whole[:offset] + local + directory + end)


def hostile(folder):
    good = parts(SMALL)
    pack(f"{folder}/macro.xlsx", {**good, "xl/vbaProject.bin": "\0" * 64})
    pack(f"{folder}/macro-renamed.xlsx", {**good, "xl/media/a.bin": "\0" * 64, "xl/_rels/workbook.xml.rels": good[
        "xl/_rels/workbook.xml.rels"].replace("</Relationships>", '<Relationship Id="v" Type='
            '"http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="media/a.bin"/></Relationships>')})
    levels = "".join(f'<!ENTITY e{i} "' + f"&e{i - 1};" * 10 + '">' for i in range(1, 10))
    pack(f"{folder}/entities.xlsx", {**good, "xl/sharedStrings.xml":
        f'<!DOCTYPE sst [<!ENTITY e0 "laughs">{levels}]><sst xmlns="{MAIN}"><si><t>&e9;</t></si></sst>'})
    pack(f"{folder}/external.xlsx", {**good, "xl/sharedStrings.xml":
        f'<!DOCTYPE sst [<!ENTITY e SYSTEM "file:///etc/hostname">]><sst xmlns="{MAIN}"><si><t>&e;</t></si></sst>'})
    bomb(f"{folder}/bomb.xlsx", 0xfff00020)
    bomb(f"{folder}/bomb-lying.xlsx", 1000)
    b = io.BytesIO()
    pack(b, good)
    whole = b.getvalue()
    with open(f"{folder}/truncated.xlsx", "wb") as f:
        f.write(whole[:len(whole) // 2])
    with open(f"{folder}/garbage.xlsx", "wb") as f:
        f.write(b"PK\3\4" + bytes(i * 37 & 255 for i in range(5000)))
    with open(f"{folder}/old.xls", "wb") as f:
        f.write(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504)
    pack(f"{folder}/malformed.xlsx", {**good, "xl/worksheets/sheet1.xml": "<worksheet><sheetData><row><c></row>"})
    with zipfile.ZipFile(f"{folder}/other.xlsx", "w") as z:
        z.writestr("word/document.xml", "<w/>")


def form_rows(path):
    """The rows of the form without its answers; one cell of the file opens a quote that nothing closes."""
    text = open(path, encoding="utf-8-sig").read().replace('"Yes, No, \n or \nNote #', "Yes No or Note #")
    rows = [row[:7] for row in csv.reader(io.StringIO(text))]
    assert sum(bool(ID.match(r[0])) for r in rows if r) == 240
    return rows


ID = re.compile(r"^[A-Z]{3,4}-\d+(\.\d+)*$")
NOTES = {1: "Data flow diagram on request.", 2: "TLS 1.2, configured at installation.", 3: "Two lines:\nsecond line."}


def invent(rows):
    """The form with invented answers: rows, and by ID what must come out: (answer, as printed, reference, note)."""
    docs = {"DOC-1": "Example Imaging Corp.", "DOC-2": "Computed tomography", "DOC-3": "CT-64", "DOC-4": "MDS2-CT64 rev 4",
            "DOC-5": "security@imaging.example.com", "DOC-6": "Sends images to the PACS of the hospital"}
    out, want, other, i = [], {}, False, 0
    for row in rows:
        row = list(row) + [""] * (7 - len(row))
        if row[1] == "Notes:":
            break
        other = other or "(OTHR)" in row[1]
        if not ID.match(row[0]):
            out.append([" ", "Keep the service port locked.", "", "", "", "", ""] if row[0] == " " and row[1] == "NONE" else
                       [Formula(docs["DOC-1"]), Formula(docs["DOC-3"]), Formula(docs["DOC-4"]), 43747] if "{=" in row[0] else row)
            continue
        q, i = row[0], i + 1
        answer, ref = [("Yes", ""), ("No", "__"), ("N/A", ""), ("Yes", "See Note 2"), ("See Notes", "Note 1"), ("No", "only as option")][i % 6]
        if q in docs:
            answer, ref = docs[q], "__"
        if q == "DOC-7":
            answer, ref = 43747, "__"
        if q == "DOC-10":
            answer, ref = "", "See Note 1 "
        row[2], row[3] = answer, ref
        out.append(row)
        a = {"Yes": "yes", "No": "no", "N/A": "na", "See Notes": "see_note", "": "unknown", 43747: "2019-10-09"}.get(answer, answer)
        ref = ref.strip()
        want[q] = [a, "43747" if q == "DOC-7" else None, ref if "Note" in ref else None, ref if ref == "only as option" else None]
    out.append(["", "Notes:"])
    out += [[f"Note {n}", text] for n, text in NOTES.items()]
    return out, want


def mds2(form, folder):
    os.makedirs(folder, exist_ok=True)
    rows, want = invent(form_rows(form))
    json.dump({"answers": want, "notes": NOTES}, open(f"{folder}/want.json", "w"))
    name = "mds2-form"
    save(f"{folder}/whole.xlsx", [(name, rows)])
    with open(f"{folder}/whole.csv", "w", encoding="utf-8-sig", newline="") as f:
        csv.writer(f).writerows(rows)

    def change(of):
        return [of(list(r)) for r in rows]

    def is_q(r, q=None):
        return bool(r) and bool(ID.match(str(r[0]))) and (q is None or r[0] == q)

    traps = {
        # The sheet is called something else and is not the first; another sheet looks busy.
        "sheet": [("Cover", [["Security", "of", "CT-64"], ["1-1", "Yes"]]), ("Tabelle1", rows)],
        # Two columns in front, two rows above; answers and notes exchanged.
        "moved": [(name, [[], []] + change(lambda r: ["", ""] + r))],
        "exchanged": [(name, change(lambda r: r[:2] + [r[3], r[2]] + r[4:] if len(r) > 3 else r))],
        # IDs with blanks, full-width letters, other hyphens, a dot behind.
        "ids": [(name, change(lambda r: [" " + r[0].replace("-", "\u2011") + ". "] + r[1:] if is_q(r) else r))],
        # The date as a date and in words; the misprint printed right.
        "date": [(name, change(lambda r: r[:2] + [Date(43747)] + r[3:] if is_q(r, "DOC-7") else r))],
        "misprint": [(name, change(lambda r: ["SAHD-15"] + r[1:] if is_q(r, "SHAD-15") else r))],
        "formulas": [(name, change(lambda r: r[:2] + [Formula(r[2])] + r[3:] if is_q(r) and isinstance(r[2], str) and r[2] else r))],
        # Words in other letters and with tails: read all the same, and kept as printed.
        "spelling": [(name, change(lambda r: r[:2] + [{"Yes": "YES", "No": "no ", "N/A": "n/a", "See Notes": "See Note"}.get(r[2], r[2])] +
                                   r[3:] if is_q(r) else r))],
        # A question twice with another answer; one that no form has; three that are missing; a note that is not there; no answer.
        "twice": [(name, rows + [["CONN-4", "again", "N/A" if want["CONN-4"][0] != "na" else "No", ""]])],
        "unknown": [(name, rows[:30] + [["CONN-99", "invented", "Yes", ""]] + rows[30:])],
        "missing": [(name, [r for r in rows if not is_q(r) or r[0] not in ("CONN-2", "TXCF-3", "RMOT-1")])],
        "note": [(name, [r for r in rows if r[:1] != ["Note 2"]])],
        "blank": [(name, change(lambda r: r[:2] + ["____", ""] if is_q(r, "CONN-1") or is_q(r, "CONN-1.1") else r))],
        "column": [(name, change(lambda r: (r + [""] * 7)[:7] + ["checked by QA"] if is_q(r, "CONN-2") else r))],
    }
    for trap, sheets in traps.items():
        save(f"{folder}/trap-{trap}.xlsx", sheets)
    with open(f"{folder}/whole.txt", "w", encoding="utf-8") as f:
        f.write("MDS2 of CT-64\n\nCONNECTIVITY CAPABILITIES (CONN) All connections.\n")
        for k, r in enumerate(rows):
            if is_q(r):
                q = str(r[1]).strip()
                answer = "2019-10-09" if r[0] == "DOC-7" else r[2]
                note = str(r[3]).replace("__", "").strip()
                tail = f"{answer}" if not note else f"{answer},{note}" if answer else note
                if "," in q:
                    quoted = q.replace('"', '""')
                    f.write(f'{r[0]},"{quoted}": {tail}\n')
                elif k % 3 == 0:
                    f.write(f"{r[0]}:{q}:{tail}\n")
                else:
                    f.write(f"{r[0]},{q}: {tail}\n")
        f.write("\n" + "".join(f"Note {n}: " + t.replace("\n", " ") + "\n" for n, t in NOTES.items()))


VENDORS = [("Example Imaging Corp.", "CT-64"), ("例示メディカル", "内視鏡記録装置 ER-400"), ("架空電機株式会社", "超音波装置 US-20"),
           ("Sample Monitors Inc.", "CMS-9 central station"), ("Placeholder GmbH", "Infusor 3")]


def vendors(folder):
    (m0, d0), (m1, d1), (m2, d2), (m3, d3), (m4, d4) = VENDORS
    save(f"{folder}/imaging.xlsx", [("Network", [
        ["Manufacturer", m0], ["Model", d0], ["Document No.: IFU-CT64-P", "", "Rev. 6", Date(46082)], [],
        ["Comms Service", "Port Number", "Protocol", "Direction (Inbound/Outbound/both)", "Peer", "Status (Disabled by default)",
         "Notes (Server./Client.)"],
        ["DICOM store", 104, "TCP", "Outbound", "PACS", "Enabled", "Client."],
        ["Worklist", 104, "TCP", "Inbound/Outbound", "MWL", "Enabled", "Client."],
        ["Web console", "8443-8444", "HTTPS", "Inbound", "biomed workstation", "Enabled", "Server."],
        ["Remote service", 3389, "RDP", "Inbound", "vendor service", "Disabled", "on request *1"],
        ["Clock", 123, "NTP", "Outbound", "NTP", "Enabled", ""], ["*1 Enabled by the service engineer only"]])])
    save(f"{folder}/endoscope.xlsx", [("通信ポート", [
        ["通信ポート一覧"], ["販売名", d1, "製造販売業者", m1], ["文書番号：IFU-ER400", "", "改訂日", "令和6年3月1日（第3版）"],
        ["項番", "ポート番号", "プロトコル", "着信／発信", "接続先", "暗号化（はい／いいえ／該当なし）", "初期値", "備考"],
        ["X-1", "１０４、５０００〜５０１０", "DICOM", "発信", "PACSサーバ", "いいえ", "有効", "※1"],
        ["X-2", "TCP/UDP 162", "SNMP", "発信", "院内", "該当なし", "無効", ""],
        ["X-3", 443, "HTTPS", "着信", "管理端末", "はい（TLS1.2以上）", "有効", ""],
        ["X-4", 22, "SSH", "受信", "", "", "", ""], ["※1 保存のみ"]]), ("改訂履歴", [["版", "日付"], [3, Date(45352)]])])
    save(f"{folder}/ultrasound.xlsx", [("ポート", [
        ["メーカー", m2], ["型式", d2], ["版", "2"], ["ポート", "プロトコル", "着信", "発信", "通信相手", "用途"],
        [104, "DICOM", "×", "○", "PACS", "画像保存"], [11112, "DICOM", "○", "×", "PACS", "画像検索"],
        [445, "SMB", "○", "○", "ファイルサーバ", "バックアップ"]])])
    save(f"{folder}/central.xlsx", [("Ports", [
        ["Product", d3, "Maker", m3, "Version", "4.1"], ["Source", "Destination", "Protocol", "Port", "Purpose"],
        ["device", "hl7 engine", "HL7", 2575, "results"], ["biomed workstation", "device", "SSH", 22, "service"],
        ["device", "AD", "LDAPS", 636, "log-in"]])], inline=True)
    with open(f"{folder}/infusor.csv", "w", encoding="utf-8-sig") as f:
        f.write(f"{m4};;;\nModel;{d4};Rev. 1;\nPort;Transport;Direction;Peer\n443;TCP;Outbound;gateway.placeholder.invalid\n"
                "53;UDP;Outbound;DNS\n")
    # The fifth as a workbook too.
    save(f"{folder}/infusor.xlsx", [("Tabelle1", [["Manufacturer", m4], ["Model", d4], ["Revision", "1"],
         ["Port", "Transport", "Direction", "Peer"], [443, "TCP", "Outbound", "gateway.placeholder.invalid"],
         [53, "UDP", "Outbound", "DNS"]])])
    os.remove(f"{folder}/infusor.csv")


def register(folder):
    head = "管理番号,機器名,型式,メーカー,製造番号,IPアドレス,MACアドレス,設置場所,導入年月日,所有区分,点検周期"
    demo = [("Tomora 64", "10.20.3.11", ""), ("Sonara 7", "10.20.3.21", ""), ("Vitala 3", "10.30.5.31", "02-00-5e-30-05-31"),
            ("Vitala 3", "10.30.5.32", "02-00-5e-30-05-32")]
    rows = ["ME機器台帳（架空）", head]
    for i in range(300):
        if i < len(demo):
            model, ip, mac = demo[i]
            maker = ""
        else:
            maker, model = VENDORS[i % 5]
            ip = f"10.40.{i // 200}.{i % 200 + 1}" if i % 3 else f"１０．４０．{i // 200}．{i % 200 + 1}"
            mac = "" if i % 4 else f"00-00-5E-00-{i // 256:02X}-{i % 256:02X}"
        rows.append(f"ME-{i:04d},装置,{model},{maker},S{i:05d},{ip},{mac},{i % 9 + 1}階病棟,令和{i % 6 + 1}年4月1日,購入,1年")
    with open(f"{folder}/register.csv", "w", encoding="cp932", newline="\r\n") as f:
        f.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    commands = {"seeds": seeds, "hostile": hostile, "mds2": mds2, "vendors": vendors, "register": register}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    os.makedirs(sys.argv[-1], exist_ok=True)
    commands[sys.argv[1]](*sys.argv[2:])
