"""policy.py DIR [DEVICES [own]] -- the policy of ./dev bench: 10,000 devices of 100 types with 60 declared rows each, in the
addresses of bench/gen.c. Ten of the rows are what the captures' devices do, fifty are what the others would do. With `own`
every unit moves a port in its inventory entry, so that no two share their rows."""
import os
import sys

out, devices = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10000
os.makedirs(out, exist_ok=True)
TYPES = 100
ROWS = """  store: {dicom: "104,11112", to: pacs, cite: ifu X-1}
  results: {hl7: 2575, to: engine, cite: ifu X-2}
  names: {dns: 53, to: dns, cite: ifu X-3}
  viewer: {http: 80, to: intranet, cite: ifu X-4}
  files: {smb: 445, to: files, cite: ifu X-5}
  cloud: {https: 443, to: cloud, cite: ifu X-6}
  own-a: {tcp: 9191, to: unknown-a, cite: ifu X-7}
  own-b: {udp: 40999, to: unknown-b, cite: ifu X-8}
  proxy: {http: 8080, to: proxy, cite: ifu X-9}
  time: {ntp: 123, to: ntp, cite: ifu X-10}
"""
for t in range(TYPES):
    with open(f"{out}/type-{t:03}.yaml", "w") as f:
        f.write(f"format: spanward/1\ndevice_type: bench.type-{t:03}\nmaker: Bench K.K.\nmodel: B-{t:03}\ndocuments:\n"
                f"  ifu: {{id: IFU-{t:03}, revision: 1}}\npsirt: psirt@bench.example\nport_list: exhaustive\nout:\n{ROWS}")
        for r in range(50):
            f.write(f"  more-{r:02}: {{tcp: {10000 + 100 * t + r}, to: role-{(t + r) % 40}, cite: ifu Y-{r}}}\n")
own = len(sys.argv) > 3
with open(f"{out}/inventory.{'yaml' if own else 'csv'}", "w") as f:
    f.write("format: spanward/1\nkind: inventory\ndevices:\n" if own else "id,type,ip,ae_title\n")
    for d in range(devices):
        v4 = f"10.{20 + d // 250 // 256}.{d // 250 % 256}.{d % 250 + 1}"
        v6 = f"2001:db8:20::a14:{d // 250 * 256 + d % 250 + 1:x}"
        if own:
            f.write(f"  - {{id: dev-{d}, type: bench.type-{d % TYPES:03}, select: [{{ip: {v4}}}, {{ip: '{v6}'}}], "
                    f"override: {{more-00: {{port: {20000 + d}}}}}}}\n")
            continue
        f.write(f"dev-{d},bench.type-{d % TYPES:03},{v4}+{v6},DEV{d}\n")
with open(f"{out}/site.yaml", "w") as f:
    def role(name, first, n):
        f.write(f"  {name}: [" + ", ".join(f'{{ip: "10.1.0.{a}"}}, {{ip: "2001:db8:20::a01:{a:x}"}}'
                                           for a in range(first, first + n)) + "]\n")
    f.write('format: spanward/1\nkind: site\nrevision: 1\nlocal_networks: ["10.0.0.0/8", "2001:db8::/32"]\nroles:\n')
    for name, first, n in (("pacs", 10, 2), ("engine", 20, 4), ("dns", 4, 2), ("intranet", 40, 4), ("files", 50, 4),
                           ("proxy", 60, 8), ("cloud", 70, 8), ("unknown-a", 80, 8), ("unknown-b", 90, 8), ("ntp", 6, 1)):
        role(name, first, n)
    for r in range(40):
        role(f"role-{r}", 100 + 2 * r, 2)
