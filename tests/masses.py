"""Captures too large to keep, made by tool_masses and read through a pipe: a flood and a day. Run by flood.sh and day.sh.

    masses.py flood SOURCES [SPANWARD OPTION...]
    masses.py day PACKETS [SPANWARD OPTION...]
"""
import calendar
import json
import os
import re
import subprocess
import sys

build = os.environ["BUILD"]
BUDGET_MIB = 512        # engine_defaults(): "within 512 MiB"
SANITIZED = b"__asan_init" in open(build + "/bin/spanward", "rb").read()
bad = 0


def check(ok, text):
    global bad
    print(("" if ok else "FAIL: ") + text)
    bad += not ok


def start(*args):
    """The generator, and spanward that reads from it."""
    gen = subprocess.Popen([build + "/tools/tool_masses", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False)
    run = subprocess.Popen([build + "/bin/spanward", "replay", "--format", "jsonl", *options, "-"], stdin=gen.stdout,
                           stdout=subprocess.PIPE, stderr=open(err, "w"), text=True)
    gen.stdout.close()
    return gen, run


def finish(gen, run):
    """What was sent, what the summary says, and the largest resident set of a process of spanward, in MiB."""
    _, status, usage = os.wait4(run.pid, 0)
    said = gen.stderr.read().decode()
    if gen.wait() or os.waitstatus_to_exitcode(status):
        sys.exit(f"generator {gen.returncode} {said}, spanward {os.waitstatus_to_exitcode(status)}: {open(err).read()[-500:]}")
    sent = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", said)}
    seen = dict(zip(("packets", "flows", "observations"), map(int, re.search(r"(\d+) packets, (\d+) flows, (\d+) observations", open(err).read()).groups())))
    return sent, seen, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime


def flood(sources):
    sessions, rounds = 1000, max(2, sources // 100000)
    options.extend(["--show", "events"])
    gen, run = start("flood", sources, sessions, rounds)
    events, rules, counters, lost = 0, {}, {}, []
    for line in run.stdout:
        e = json.loads(line)
        events += 1
        rules[e["rule"]] = rules.get(e["rule"], 0) + 1
        if e["rule"] == "sensor.counter":
            counters[e["counter"]] = e["value"]
        if e["type"] == "flow" and (e["loss"] or e["midstream"]) and e.get("service") == "dicom":
            lost.append(line)
    sent, seen, mib, cpu = finish(gen, run)
    print(f"{sent['sources']} sources beside {sessions} DICOM sessions: {sent['packets']} packets, {seen['flows']} flows, "
          f"{events} events, {cpu:.1f} s of CPU")
    check(seen["packets"] == sent["packets"], f"packets: {seen['packets']} of {sent['packets']}")
    check(seen["observations"] == sent["observations"], f"DICOM observations: {seen['observations']} of {sent['observations']}")
    check(not lost, f"DICOM sessions with loss or from their middle: {len(lost)}")
    check(rules.get("network.flood", 0) == 1, f"flood events: {rules.get('network.flood', 0)}")
    check(not counters.get("flows_evicted"), f"flows evicted that were more than an attempt: {counters.get('flows_evicted', 0)}")
    check(events < 6000 + sessions, f"events in all: {events} {dict(sorted(rules.items(), key=lambda x: -x[1])[:5])}")
    check(SANITIZED or mib < BUDGET_MIB, f"memory: {mib:.0f} MiB at most, budget {BUDGET_MIB} MiB")


def resident(pid):
    """MiB of memory of their own that a process and its children have, and MiB of the ring between them."""
    own, ring, todo = 0, 0, [pid]
    while todo:
        p = todo.pop()
        try:
            status = open(f"/proc/{p}/status").read()
            own += int(re.search(r"RssAnon:\s+(\d+)", status).group(1))
            ring = max(ring, int(re.search(r"RssShmem:\s+(\d+)", status).group(1)))
            for t in os.listdir(f"/proc/{p}/task"):
                todo += open(f"/proc/{p}/task/{t}/children").read().split()
        except (OSError, AttributeError):
            pass
    return own / 1024, ring / 1024


def seconds(text):
    """Of the day."""
    t = re.match(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z", text).groups()
    return calendar.timegm(tuple(map(int, t[:5])) + (0, 0, 0, 0)) - 1767225600 + float(t[5])


def day(packets):
    idle = {"tcp": 7440, "udp": 120, "half-open": 64}
    options.extend(["--show", "flows"])
    gen, run = start("day", packets)
    begun, ended, rss = [0] * 40, [0] * 40, {}
    flows, idled, clock, early, late, worst, waiting = 0, 0, 0.0, 0, 0, 0.0, []
    ends = {}
    for line in run.stdout:
        o = json.loads(line)
        flows += 1
        last, started, end = seconds(o["ts"]), seconds(o["started"]), o["end"]
        ends[end] = ends.get(end, 0) + 1
        begun[int(started // 3600)] += 1
        if end in ("closed", "reset"):          # said with the packet that ended it: packet time is here
            clock = last
            for due in waiting:
                early += clock < due
            waiting = []
            if int(clock // 3600) not in rss:
                rss[int(clock // 3600)] = resident(run.pid)
        elif end == "idle":
            silent = idle["udp" if o["transport"] == "udp" else "tcp" if o["answered"] else "half-open"]
            due = last + silent
            idled += 1
            worst = max(worst, clock - due)
            late += clock - due > slack
            waiting.append(due)
        if end != "capture":
            ended[int(clock // 3600)] += 1
    sent, seen, mib, cpu = finish(gen, run)
    print("hour  flows begun   ended  at a time  own memory MiB  ring MiB")
    live = 0
    for hour in range(24):
        live += begun[hour] - ended[hour]
        print(f"{hour:4} {begun[hour]:12} {ended[hour]:7} {live:10} {rss.get(hour, (0, 0))[0]:15.1f} {rss.get(hour, (0, 0))[1]:9.1f}")
    print(f"{sent['packets']} packets, {sent['flows']} flows in 24 h of packet time, {cpu:.1f} s of CPU, {mib:.0f} MiB at most; ends: {ends}")
    check(seen["packets"] == sent["packets"] and seen["flows"] == sent["flows"] == flows, f"flows: {seen['flows']} of {sent['flows']}")
    # Beside DICOM, each datagram of its DNS flows is one.
    check(seen["observations"] == sent["observations"] + sent["udp"],
          f"observations of DICOM and DNS: {seen['observations']} of {sent['observations']} + {sent['udp']}")
    # The first hour fills tables; after two hours flows end as fast as they begin (the longest timer is 7440 s).
    # The engine has ended when the last records are read from the pipe: what shrinks then is no reading.
    steady = [rss[h][0] for h in sorted(rss) if h >= first and rss[h][0] > rss[first][0] / 2]
    check(len(steady) >= 23 - first - 2, f"hours with a reading: {len(steady)}")
    check(SANITIZED or max(steady) - rss[first][0] < max(2, 0.05 * rss[first][0]),
          f"memory after hour {first}: {rss[first][0]:.1f} MiB, at most {max(steady):.1f} MiB")
    check(idled > 0 and not early, f"flows that ended by their timer: {idled}, before their time: {early}")
    check(not late, f"after their time by more than {slack:.1f} s (a batch of 512 packets): {late}; the latest {max(worst, 0):.2f} s")


what, size, options = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
# Timers run when a batch is done: of 210,000 flows at full size one came three mean batches late.
slack = 2 + 512 * 86400 / size * 5
first = 1 if size >= 10000000 else 6    # the hour from which on memory is flat: a short day meets its hosts more slowly
err = f"{os.environ['TMP_DIR']}/stderr"
{"flood": flood, "day": day}[what](size)
sys.exit(1 if bad else 0)
