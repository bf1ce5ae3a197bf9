# Every routine, by name. `just` lists them.

_list:
    @just --list

# Everything that CI checks.
ci:
    bash .ci/run

# All tests.
test:
    cargo test --workspace

# Formatting and lints, as CI runs them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# The demonstration: a whole centre and a simulated intrusion.
demo:
    cargo run --release -- up --demo

# Benchmarks; benches/README.md tells what each one measures.
bench:
    cargo bench --workspace
    bash benches/scan.sh

# The Sigma engine beside another one, on SigmaHQ's rules: speed, and every difference.
bench-sigma *WHAT:
    cd benches/sigma && cargo run --release -- {{WHAT}}

# Any text as rules, pipelines or events, for so many seconds each: `just fuzz rules 300`.
fuzz TARGET="all" SECONDS="60":
    bash fuzz/run.sh {{TARGET}} {{SECONDS}}

# Licences, sources and duplicate dependencies.
deny:
    cargo deny check bans licenses sources
