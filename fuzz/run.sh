#!/usr/bin/env bash
# Fuzzes one target, or all of them one after the other, for so many seconds each:
#     bash fuzz/run.sh [all|rules|pipelines|events] [SECONDS]
# Stable Rust and a C++ compiler are enough: safe code is looked at for panics, hangs and wrong
# answers, without a sanitizer. What breaks is kept in fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")"
which=${1:-all} seconds=${2:-60}
case $which in
  all) targets=(rules pipelines events) ;;
  rules | pipelines | events) targets=("$which") ;;
  *) echo "fuzz: no target $which: all, rules, pipelines or events" >&2; exit 2 ;;
esac
command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz

# The shipped rules, pipelines and fixtures, a rule, a pipeline or a line each.
seeds() {
  case $1 in
    rules) awk -v to="$2/seed-" 'FNR == 1 || /^---/ { close(to n); n++ } { print > (to n) }' ../rules/*.yml ;;
    pipelines) cp ../pipelines/*.yml ../pipelines/*/*.yml "$2" ;;
    events) awk -v to="$2/seed-" 'FNR <= 6 { print > (to NR); close(to NR) }' ../rules/fixtures/* ;;
  esac
  if [ -e "seeds/$1.yml" ]; then cp "seeds/$1.yml" "$2"; fi
}

# Words that mutation seldom finds by itself: Sigma's as the code names them, or those of the fixtures.
words() {
  case $1 in
    events) grep -ohE '[A-Za-z][A-Za-z0-9_.]{2,30}' ../rules/fixtures/* ;;
    *) grep -ohE '"[a-z_0-9]{2,30}"' ../crates/sigma/src/{spec,pipeline}/*.rs | tr -d '"' ;;
  esac | sort -u | sed 's/.*/"&"/'
}

for target in "${targets[@]}"; do
  mkdir -p "corpus/$target"
  seeds "$target" "corpus/$target"
  words "$target" >"corpus/$target.dict"
  cargo fuzz run --sanitizer none "$target" -- \
    -dict="corpus/$target.dict" -max_total_time="$seconds" -timeout=20 -print_final_stats=1
done
