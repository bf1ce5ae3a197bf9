#!/usr/bin/env python3
"""Measures a back-test over the journal beside live detection over the same records (release build).
Python's own library and `zstd` only.

    cargo build --release && python3 benches/backtest.py [DATA]

DATA is the folder with auth-600k.log.zst; by default ../shared/data/bench beside the project.
"""
import json, os, pathlib, sqlite3, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).parent.parent
BINARY = ROOT / "target/release/vigie"
DATA = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "../shared/data/bench")
COPIES = 1
ROUNDS = 5

RARE = """title: An account that few have
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux, service: sshd}
detection:
  one: {user.name: nagios, event.outcome: failure}
  condition: one
level: medium
"""


def start(work):
    return subprocess.Popen(
        [BINARY, "up", "--json", "-q", "--data", work / "data", "--config", work / "vigie.toml"],
        stdout=subprocess.PIPE, env={**os.environ, "VIGIE_AGENTS_TOKEN": "bench"})


def kill(centre):
    centre.kill()
    centre.wait()


def detected(work):
    """How far detection has come, as the state store tells."""
    try:
        with sqlite3.connect(f"file:{work}/data/state.sqlite?mode=ro", uri=True) as state:
            row = state.execute("select max(position) from checkpoint where consumer = 'detector'").fetchone()
            return row[0] or 0
    except sqlite3.OperationalError:
        return 0


def wait_for(work, records):
    while detected(work) < records:
        time.sleep(0.02)


def wait_for_index(work):
    """Until nothing has been added for some seconds."""
    size, since = 0, time.monotonic()
    while time.monotonic() - since < 4:
        # It fails where a file goes while it looks.
        told = subprocess.run(["du", "-s", work / "data/index"], capture_output=True).stdout
        now = int(told.split()[0]) if told else 0
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.2)


def wait_until_idle(centre):
    """Until the centre has judged and answered all that it has detected: it takes a core as long."""
    def spent():
        fields = pathlib.Path(f"/proc/{centre.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    last, quiet = spent(), 0
    while quiet < 3:
        time.sleep(1)
        now = spent()
        quiet = quiet + 1 if now - last < 0.05 else 0
        last = now


def backtest(work, rules):
    """Records a second, of the slowest and the fastest round."""
    rates = []
    for _ in range(ROUNDS):
        told = subprocess.run(
            [BINARY, "rules", "match", "--history", "--json", "-q", "--data", work / "data", "--config", work / "vigie.toml",
             "--rules", rules], stdout=subprocess.PIPE, check=True).stdout
        stats = json.loads(told.splitlines()[-1])
        rates.append(stats["records"] / stats["seconds"])
    return stats["records"], min(rates), max(rates)


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    log, rare = work / "auth.log", work / "rare.yml"
    rare.write_text(RARE)
    lines = subprocess.run(["zstd", "-dc", DATA / "auth-600k.log.zst"], stdout=subprocess.PIPE, check=True).stdout
    with open(log, "wb") as out:
        for _ in range(COPIES):
            out.write(lines)
    work.joinpath("vigie.toml").write_text(
        '[console]\nlisten = "127.0.0.1:0"\n'
        '[agents_interface]\nenabled = false\n'
        f'[sources]\nfiles = ["{log}"]\njournald = "never"\nfirst_read = "start"\n')
    records = COPIES * lines.count(b"\n")
    centre = start(work)
    wait_for(work, records)
    wait_for_index(work)
    kill(centre)

    # Detection alone, from the journal's start: a state that knows nothing, and nothing to index.
    for path in work.glob("data/state.sqlite*"):
        path.unlink()
    centre = start(work)
    centre.stdout.readline()
    began, first = time.monotonic(), detected(work)
    wait_for(work, records)
    live = (records - first) / (time.monotonic() - began)
    print(f"live detection: {live:,.0f} records/s over {records:,} records", flush=True)
    wait_until_idle(centre)
    for name, rules in [
        ("a rule that seldom matches", rare),
        ("the SSH brute-force rules, which nearly all lines feed", ROOT / "rules/ssh_brute_force.yml"),
        ("all shipped rules", ROOT / "rules"),
    ]:
        read, slowest, fastest = backtest(work, rules)
        print(f"back-test beside the running centre, {name}: {slowest:,.0f}-{fastest:,.0f} records/s over {read:,} "
              f"({slowest / live:.1f}-{fastest / live:.1f} times live)", flush=True)
    kill(centre)
