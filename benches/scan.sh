#!/usr/bin/env bash
# `vigie scan` beside `fail2ban-regex` on the same 600,031 lines of auth.log, one after the other in one
# run, by processor time (user + system) and peak memory, as both tell it to a person, and Vigie as NDJSON of
# the compressed file too; then Vigie's totals against the truth file. What takes half a second is at the mercy
# of each moment, so a round has five runs of it, before and behind the one that takes fifteen, and the middle
# one counts.
# Wants: Debian's fail2ban and time, the data folder ../shared/data, a release build.
set -euo pipefail
cd "$(dirname "$0")/.."

data=../shared/data/bench
[ -r "$data/auth-600k.log.zst" ] || { echo "skipped: $data is not here"; exit 0; }
for tool in fail2ban-regex zstd python3; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 0; }
done
cargo build --release --quiet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
zstd -dq "$data/auth-600k.log.zst" -o "$work/auth.log"

# Runs a command, its output to a file; prints processor seconds and peak megabytes.
measure() {
  python3 - "$work/out" "$@" <<'PY'
import os, subprocess, sys
out, *command = sys.argv[1:]
with open(out, "wb") as sink:
    child = subprocess.Popen(command, stdout=sink, stderr=subprocess.DEVNULL)
# Of this child alone: what led to this interpreter, such as a shell that looked for it, has children too.
_, status, used = os.wait4(child.pid, 0)
if status:
    sys.exit(f"{command[0]} failed")
print(f"{used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss / 1024:.0f}")
PY
}

rounds=${ROUNDS:-3}
# Tells a person what the file holds, so many times, into `texts` and `shown`.
texts=""
tell() {
  for _ in $(seq "$1"); do
    read -r text text_peak < <(measure target/release/vigie scan "$work/auth.log")
    texts="$texts${texts:+,}$text" shown="${shown:+$shown }$text"
  done
}

echo "processor seconds (peak MB): text, five times | --json of the compressed file | fail2ban-regex"
for _ in $(seq "$rounds"); do
  shown=""
  tell 3
  read -r json json_peak < <(measure target/release/vigie scan --json "$data/auth-600k.log.zst")
  cp "$work/out" "$work/vigie.ndjson"
  read -r other other_peak < <(measure fail2ban-regex "$work/auth.log" /etc/fail2ban/filter.d/sshd.conf)
  tell 2
  echo "  $shown ($text_peak) | $json ($json_peak) | $other ($other_peak)"
  jsons="${jsons:-}${jsons:+,}$json" others="${others:-}${others:+,}$other"
done

python3 - "$work/vigie.ndjson" "$data/auth-600k.truth.json" "$others" "$texts" "$jsons" <<'PY'
import json, statistics, sys
findings, truth, *runs = sys.argv[1:]
truth = json.load(open(truth))
stats = [row for line in open(findings) if (row := json.loads(line))["kind"] == "stats"][-1]
runs = [[float(seconds) for seconds in run.split(",")] for run in runs]
others, texts, jsons = runs
texts = [statistics.median(texts[first : first + 5]) for first in range(0, len(texts), 5)]
# Whatever else the machine does can only add to a run, so the least is nearest to what it takes.
for of, one in [("the median", statistics.median), ("the least", min)]:
    other, text, as_json = one(others), one(texts), one(jsons)
    for form, own in [("text", text), ("--json, compressed", as_json)]:
        print(f"{form}, by {of}: 1/{other / own:.1f} of fail2ban's processor time, {stats['records'] / own:,.0f} lines a processor-second")
shares = [other / text for other, text in zip(others, texts)]
print("text, by the rounds: " + ", ".join(f"1/{share:.1f}" for share in shares) + f", median 1/{statistics.median(shares):.1f}")
def count(*names):
    return sum(n for action, n in stats["by_action"].items() if action.startswith(names))
totals = {
    "failed_password": count("sshd ssh_login failure"),
    "accepted": count("sshd ssh_login success"),
    "invalid_user": count("sshd ssh_invalid_user"),
    "disconnect": count("sshd ssh_disconnect", "sshd ssh_connection_closed"),
    "pam_failure": count("pam pam_auth_failure", "pam pam_more_auth_failures", "sshd ssh_too_many_failures"),
}
wrong = {name: (n, truth["kinds"][name]) for name, n in totals.items() if n != truth["kinds"][name]}
if stats["records"] != truth["lines"]:
    wrong["lines"] = (stats["records"], truth["lines"])
print("totals equal to the truth file" if not wrong else f"totals differ (ours, truth): {wrong}")
sys.exit(bool(wrong))
PY
