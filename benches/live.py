#!/usr/bin/env python3
"""Measures a running centre (release build): ingest with durable acknowledgement over HTTP, and the time
from a line written to its decision in the state store. Python's own library only.

    cargo build --release && python3 benches/live.py
"""
import http.client, json, os, pathlib, sqlite3, statistics, subprocess, tempfile, threading, time

BINARY = pathlib.Path(__file__).parent.parent / "target/release/vigie"
TOKEN = "bench"
SENDERS, BATCH, SECONDS = 4, 500, 5
ATTACKERS = int(os.environ.get("ATTACKERS", "200"))


def start(work, log):
    work.joinpath("vigie.toml").write_text(
        '[console]\nlisten = "127.0.0.1:0"\n'
        '[agents_interface]\ncollect = "127.0.0.1:0"\nanalyze = "127.0.0.1:0"\nrespond = "127.0.0.1:0"\n'
        f'[sources]\nfiles = ["{log}"]\njournald = "never"\n')
    centre = subprocess.Popen(
        [BINARY, "up", "--json", "-q", "--data", work / "data", "--config", work / "vigie.toml"],
        stdout=subprocess.PIPE, env={**os.environ, "VIGIE_AGENTS_TOKEN": TOKEN})
    return centre, json.loads(centre.stdout.readline())


def ingest(up):
    host = up["agents_interface"][0].removeprefix("http://")
    sent, until = [0] * SENDERS, time.monotonic() + SECONDS

    def send(number):
        connection = http.client.HTTPConnection(host)
        while time.monotonic() < until:
            body = "".join(
                f"2026-01-05T10:00:00Z web sshd[{n}]: Connection closed by 198.51.100.{n % 250} port {n} [preauth]\n"
                for n in range(BATCH))
            connection.request("POST", f"/ingest?as=syslog&source=bench{number}", body, {"X-Auth-Token": TOKEN})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
            sent[number] += BATCH

    began = time.monotonic()
    threads = [threading.Thread(target=send, args=(number,)) for number in range(SENDERS)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return sum(sent) / (time.monotonic() - began)


def decide(work, log):
    """Milliseconds from the fifth failure written to the decision in the store, for each of some addresses."""
    state = sqlite3.connect(f"file:{work}/data/state.sqlite?mode=ro", uri=True)
    decided = lambda address: state.execute(
        "select 1 from decision where body like ? limit 1", (f"%\"{address}\"%",)).fetchone()
    delays = []
    with open(log, "a") as out:
        for number in range(ATTACKERS):
            # RFC 2544's range for benchmarks; one /24 each, so that each is an incident of its own.
            address = f"198.18.{number}.7"
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            for attempt in range(6):
                out.write(f"{stamp} web sshd[{number * 10 + attempt}]: Failed password for root from {address} port 40000 ssh2\n")
            out.flush()
            written = time.monotonic()
            while not decided(address):
                if time.monotonic() - written > 10:
                    raise SystemExit(f"no decision on {address} within 10 s")
                time.sleep(0.001)
            delays.append((time.monotonic() - written) * 1000)
    return delays


with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    log = work / "auth.log"
    log.touch()
    centre, up = start(work, log)
    try:
        delays = sorted(decide(work, log))
        print(f"line written to decision in the store, {len(delays)} times: median {statistics.median(delays):.0f} ms, "
              f"p99 {delays[int(len(delays) * 0.99)]:.0f} ms, worst {delays[-1]:.0f} ms")
        print(f"ingest with durable acknowledgement: {ingest(up):,.0f} events/s "
              f"({SENDERS} senders, {BATCH} a request)")
    finally:
        centre.terminate()
        centre.wait()
