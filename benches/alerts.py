#!/usr/bin/env python3
"""The batch assistant over 10,000 alerts: processor time of `vigie analyze`, aim under 2 s.

    cargo build --release -p vigie && python3 benches/alerts.py [path to vigie]
"""
import json
import os
import resource
import subprocess
import sys
import tempfile

KINDS = ["port_scan", "ssh_brute_force", "sql_injection", "lateral_movement", "data_exfiltration"]


def alert(n):
    return {
        "id": f"A-{n}", "alert_type": KINDS[n % 5], "severity": "high", "user": f"user{n % 300}",
        "timestamp": f"2026-01-05T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z",
        "source_ip": f"203.0.113.{n % 250}", "destination_ip": f"192.0.2.{n * 7 % 250}",
        "description": "156 failed logins in 2 min, then 12 commands/min",
    }


def main():
    vigie = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "target/release/vigie")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "alerts.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump([alert(n) for n in range(10_000)], file, indent=1)
        report = os.path.join(folder, "report.html")
        for name, extra in [("text", ["--no-save"]), ("text, results kept", []),
                            ("--json", ["--no-save", "--json"]), ("--report .html", ["--no-save", "--report", report])]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([vigie, "analyze", path, *extra], cwd=folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            print(f"{name:<20} {used:.2f} s of processor time")


if __name__ == "__main__":
    main()
