#!/usr/bin/env python3
"""Writes attack.tsv anew from a release of MITRE ATT&CK.

    python3 crates/analyzer/data/update.py enterprise-attack-15.1.json

The file is the official STIX bundle of a release (enterprise-attack/enterprise-attack-VERSION.json of
MITRE's attack-stix-data). Revoked and deprecated techniques are left out. Prints what changed."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
TABLE = HERE / "attack.tsv"


def mitre_id(thing):
    for reference in thing.get("external_references", []):
        if reference.get("source_name") == "mitre-attack":
            return reference["external_id"]
    return None


def read(path):
    things = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["objects"]
    living = [t for t in things if not t.get("revoked") and not t.get("x_mitre_deprecated")]
    version = next(t["x_mitre_version"] for t in living if t["type"] == "x-mitre-collection")
    tactics = {t["x_mitre_shortname"]: mitre_id(t) for t in living if t["type"] == "x-mitre-tactic"}
    rows = sorted((identifier, name) for name, identifier in tactics.items())
    techniques = []
    for thing in living:
        if thing["type"] == "attack-pattern":
            phases = (p["phase_name"] for p in thing["kill_chain_phases"]
                      if p["kill_chain_name"] == "mitre-attack")
            served = ",".join(sorted(tactics[phase] for phase in phases))
            techniques.append((mitre_id(thing), " ".join(thing["name"].split()), served))
    return version, rows + sorted(techniques)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    version, rows = read(sys.argv[1])
    before = TABLE.read_text(encoding="utf-8").splitlines()
    head = [line for line in before if line.startswith("#")]
    head[0] = f"# MITRE ATT&CK Enterprise {version}: tactics, then techniques with the tactics that they serve."
    after = head + ["\t".join(row) for row in rows]
    TABLE.write_text("\n".join(after) + "\n", encoding="utf-8")
    known = {line.split("\t")[0] for line in before}
    now = {row[0] for row in rows}
    gone = sorted(i for i in known - now if not i.startswith("#"))
    print(f"ATT&CK {version}: {len(rows)} rows; new {len(now - known)}; gone: {', '.join(gone) or 'none'}")


if __name__ == "__main__":
    main()
