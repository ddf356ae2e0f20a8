#!/usr/bin/env bash
# What the judge does, as `make demo` runs it: the whole ladder on the bundled corpus, in demo-out/.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
rm -rf demo-out
mkdir demo-out

# A developer's own settings have no place here.
for name in "${!ENGRAM_@}"; do unset "$name"; done
export HOME=$PWD/demo-out XDG_CACHE_HOME=$PWD/demo-out/cache

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

explain() { printf '\n%s# %s%s\n' "$dim" "$1" "$plain"; }

run() {
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    eval "$1"
}

explain "Twelve conversations of people who never lived, some 350 questions, the whole ladder of systems from chance upwards.
# (Where MiniLM is not installed, vectors are made by hashing, which knows spelling and not meaning.)"
run 'engram eval run tiny --out demo-out/run --report demo-out/report.html --no-guards'

explain "Is fusion better than words alone, or was that luck? A paired test over whole conversations says."
run 'engram eval compare demo-out/run:bm25 demo-out/run:weighted --measure R@10 --measure nDCG@10 --moved 3'

[[ -x .venv/bin/engram ]] && engram=.venv/bin/engram || engram=engram
printf '\n%sdemo-out/report.html has it all, queries that moved and the record included. Try next:%s\n  %s\n  %s\n' \
    "$bold" "$plain" "make tour    # the engine itself: remember, recall, forget, restore, export" \
    "$engram eval list"
