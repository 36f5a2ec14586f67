#!/usr/bin/env python3
"""Workbooks for tests, made with nothing but zipfile: tables, MDS2 forms with invented answers, and hostile files.

usage: workbook.py seeds DIR            small workbooks for the fuzzer (fuzz/corpus/sheet_xlsx)
       workbook.py hostile DIR          what must be refused
"""
import io
import os
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


if __name__ == "__main__":
    commands = {"seeds": seeds, "hostile": hostile}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    os.makedirs(sys.argv[2], exist_ok=True)
    commands[sys.argv[1]](*sys.argv[2:])
