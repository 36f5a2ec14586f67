#!/bin/sh
# The published schemas are the tables', accept what the encoder prints and refuse what it must not print.
set -eu
SOURCE=${SOURCE:-$PWD}
BUILD=${BUILD:-$PWD/build}
"$SOURCE/tools/gen-docs" --check
python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null || {
	echo "skipped: python3-jsonschema (with Draft 2020-12) is not installed"
	exit 77
}
exec python3 - "$SOURCE" "$BUILD" <<'PY'
import json, os, subprocess, sys
from jsonschema import Draft202012Validator

source, build = sys.argv[1:]
faults = 0

def fault(*words):
    global faults
    faults += 1
    print("schema:", *words)

validators = {}
for name in "event", "observation":
    with open(f"{source}/docs/schema/{name}.schema.json") as f:
        schema = json.load(f)
    Draft202012Validator.check_schema(schema)
    validators[name] = Draft202012Validator(schema)

# Every record that the codec's test draws at random, printed by the program under test.
lines = subprocess.run([f"{build}/tests/core_vocab_test", "--print"], capture_output=True, check=True).stdout
counts = {"event": 0, "observation": 0}
for line in lines.decode("utf-8").splitlines():
    name, text = line.split(" ", 1)
    counts[name] += 1
    errors = [e.message for e in validators[name].iter_errors(json.loads(text))]
    if errors:
        fault("refuses what we print:", text[:300], errors[0][:300])
if min(counts.values()) < 100:
    fault("too few records were printed:", counts)

good = {
    "event": {"type": "config_change", "sensor": "ward3", "ts": "2026-11-22T21:46:20.123456789Z", "seq": 7,
              "severity": "high", "device": "放射線 CT 1", "device_addr": "192.0.2.1", "midstream": False},
    "observation": {"type": "dicom.command", "packet": 1, "src": "[2001:db8::1]:104", "status": "0x0124",
                    "sop_class": "(not admitted)"},
}
bad = {
    "event": [{"type": "no_such_type"}, {"patient_name": "x"}, {"sensor": "-"}, {"sensor": "a b"}, {"seq": -1},
              {"seq": "7"}, {"seq": None}, {"ts": "2026-11-22"}, {"severity": "severe"}, {"device": "a\u001bb"},
              {"device": "\u202ex"}, {"device": "x" * 65}, {"counter": "flows"}, {"midstream": 0}],
    "observation": [{"src": "192.0.2.1"}, {"status": "0x124"}, {"status": 292}, {"sop_class": "1.2.x"},
                    {"contexts": []}, {"packet": 1.5}],
}
for name, v in validators.items():
    for e in v.iter_errors(good[name]):
        fault("refuses a good", name, e.message[:300])
    for change in bad[name]:
        if v.is_valid({**good[name], **change}):
            fault("accepts", name, "with", change)
    if v.is_valid({k: x for k, x in good[name].items() if k != "type"}):
        fault("accepts a record without type")
# What people write: the examples fit their schemas, also as other YAML readers see them; what the loader refuses does not.
import yaml

class Reader(yaml.SafeLoader):
    pass

Reader.yaml_implicit_resolvers = {k: [(t, r) for t, r in v if not t.endswith(":timestamp")]
                                  for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
files = {}
for name in "device-type", "device-type-short", "inventory", "decisions", "site":
    with open(f"{source}/docs/schema/{name}.schema.json") as f:
        schema = json.load(f)
    Draft202012Validator.check_schema(schema)
    files[name] = Draft202012Validator(schema)

def kind_of(data):
    return "device-type-short" if "device_type" in data else data["kind"]

checked = 0
for folder in "rules/profiles/example-hospital", "test-pcaps/demo/policy":
    for name in sorted(os.listdir(f"{source}/{folder}")):
        if not name.endswith(".yaml"):
            continue
        path = f"{source}/{folder}/{name}"
        with open(path) as f:
            data = yaml.load(f, Reader)
        kind = kind_of(data)
        for e in files[kind].iter_errors(data):
            fault(f"{folder}/{name}", e.message[:300])
        checked += 1
        if files[kind].is_valid({**data, "colour": "blue"}):
            fault(f"{name}: an unknown key is accepted")
        if kind.startswith("device-type"):
            text = subprocess.run([f"{build}/bin/spanward", "profile", "convert", path], capture_output=True, check=True).stdout
            for e in files["device-type"].iter_errors(yaml.load(text, Reader)):
                fault(f"{name} converted:", e.message[:300])
# What the commands of every day write.
import shutil, tempfile
with tempfile.TemporaryDirectory() as d:
    shutil.copytree(f"{source}/test-pcaps/demo/policy", f"{d}/policy")
    for command in (["device", "swap", "pm-1", "loan-7", "--mac", "02:00:5e:30:05:99"], ["device", "mode", "ct-1", "learn", "--for", "2d"],
                    ["window", "open", "ct-1", "--for", "2h", "--by", "x", "--ticket", "7"]):
        subprocess.run([f"{build}/bin/spanward", *command, "-p", f"{d}/policy"], capture_output=True, check=True)
    with open(f"{d}/policy/decisions.yaml") as f:
        data = yaml.load(f, Reader)
    for e in files["decisions"].iter_errors(data):
        fault("decisions.yaml", e.message[:300])
    if files["decisions"].is_valid({**data, "colour": "blue"}):
        fault("decisions.yaml: an unknown key is accepted")
if checked < 9:
    fault("too few examples were checked:", checked)
print(f"schema: {checked} examples fit")
print(f"schema: {counts['event']} events and {counts['observation']} observations validated, {faults} faults")
sys.exit(faults != 0)
PY
