#!/usr/bin/env bash
# A short tour of what Engram Lab does, as `make tour` runs it: everything lands in tour-out/.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
rm -rf tour-out
mkdir tour-out

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

explain() { printf '\n%s# %s%s\n' "$dim" "$1" "$plain"; }

run() {
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    eval "$1"
}

run_refused() {
    local code=0
    printf '%s$ %s%s\n' "$bold" "$1" "$plain"
    eval "$1" || code=$?
    if [[ $code != 2 ]]; then
        echo "demo: this should have been refused" >&2
        exit 1
    fi
}

# A developer's own settings have no place here.
for name in "${!ENGRAM_@}"; do unset "$name"; done
export HOME=$PWD/tour-out

explain "One file is the whole memory. Name it once, or give --db each time."
run 'cd tour-out; export ENGRAM_STORE_PATH=harbour.db'

explain "Take in a year of a small harbour town, 170 memories."
run 'engram import ../datasets/harbour/memories.jsonl'

explain "Ask in plain words; the best answer comes first."
run 'engram recall "how does Ilse take her coffee?" -k 2'

explain "Ask among the decisions alone, and see why each is there: what words and meaning add."
run 'engram recall "when is the launch of Petrel?" -k 2 --explain \
    --filter '\''{"type": "decision"}'\'

explain "The answer shares no word with this question: MiniLM, a small model, finds it by meaning.
# (Should the second line name hashing, MiniLM is not installed, and likeness of spelling is all there is.)"
run 'engram recall "any medical advice?" -k 1 --explain'

explain "Unknown words are pointed out, and never replaced unasked."
run 'engram suggest "blod presure"'

explain "Remember something new. What is printed is its id."
run 'id=$(engram remember "Ada takes her coffee black" --tag taste); echo $id'

explain "Change it, say why, and refuse to overwrite what somebody else wrote since."
run 'engram update $id --content "Ada takes her coffee with one sugar" \
    --version 1 --reason "she told us so"'

explain "Whoever has read version 1 only is refused, and told what to do."
run_refused 'engram update $id --content "Ada drinks tea" --version 1'

explain "Nothing is lost: when, who, why, and what it was before."
run 'engram history $id'

explain "Forget it: no search finds it now. Then bring it back."
run 'engram forget $id --reason "a test"'
run 'engram recall "Ada" --workspace default'
run 'engram restore $id'

explain "Look into the past: what did the memory hold before the update?"
run 'then=$(engram history $id --json | python -c '\''
import json, sys; print(json.load(sys.stdin)[0]["recorded_at"])'\'')'
run 'engram list --as-of $then --filter '\''{"workspace": "default"}'\'

explain "Everything goes out to Parquet and comes back into another database …"
run 'engram export first'
run 'engram import first --db copy.db'

explain "… exactly: the copy exports the same bytes."
run 'engram export second --db copy.db'
run 'diff -r first second && echo "byte for byte the same"'

explain "Work on it: Polars over the export, DuckDB over the live database."
run "python - <<'PY'
import polars as pl
from engram_lab import Engine

memories = pl.scan_parquet('first/memories.parquet')
print(memories.group_by('type').len().top_k(3, by=['len', 'type']).collect())
with Engine.open('harbour.db') as engine:
    print(engine.duckdb().sql('''
        SELECT tag, count(*) AS memories, round(avg(importance), 2) AS weight
        FROM (SELECT unnest(tags) AS tag, importance FROM memories)
        GROUP BY tag ORDER BY memories DESC, tag LIMIT 3'''), end='')
PY"

explain "Copy the database while it is in use, and check the copy."
run 'engram backup create backup.db'
run 'engram backup verify backup.db'

explain "And a check-up of the database itself."
run 'engram doctor'

cd ..
[[ -x .venv/bin/engram ]] && engram=.venv/bin/engram || engram=engram
printf '\n%stour-out/ holds the database, its copy, both exports and the backup. Try next:%s\n  %s\n' \
    "$bold" "$plain" "$engram recall \"why was the app wrong?\" --db tour-out/harbour.db"
