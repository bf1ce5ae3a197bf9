#!/usr/bin/env bash
# Fuzzes one target, or all of them one after the other, for so many seconds each:
#     bash fuzz/run.sh [all|rules|pipelines|events] [SECONDS]
# Stable Rust and a C++ compiler are enough: safe code is looked at for panics, hangs and wrong
# answers, without a sanitizer. What breaks is kept in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")"
which=${1:-all} seconds=${2:-60}
[ "$which" = all ] && targets=(rules pipelines events) || targets=("$which")
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

# Seeds: what is shipped, a rule, a pipeline or a line each.
seeds() {
  case $1 in
    rules) awk -v to="$2/seed-" 'FNR == 1 || /^---/ { close(to n); n++ } { print > (to n) }' ../rules/*.yml ;;
    pipelines) cp ../pipelines/*.yml ../pipelines/*/*.yml "$2" ;;
    events) awk -v to="$2/seed-" 'FNR <= 6 { print > (to NR); close(to NR) }' ../rules/fixtures/* ;;
    *) echo "fuzz: no target $1: rules, pipelines or events" >&2; exit 2 ;;
  esac
}

for target in "${targets[@]}"; do
  mkdir -p "corpus/$target"
  seeds "$target" "corpus/$target"
  # The words of the seeds, which no mutation finds by chance.
  grep -ohE '[A-Za-z][A-Za-z0-9_.]{2,30}' ../rules/*.yml ../pipelines/*.yml ../rules/fixtures/*.json |
    sort -u | sed 's/.*/"&"/' >words.dict
  cargo fuzz run --sanitizer none "$target" -- \
    -dict=words.dict -max_total_time="$seconds" -timeout=20 -print_final_stats=1
done
