#!/usr/bin/env bash
# The whole path of an ImageNet run, in small: images, packing, five learning systems on two ranks, one of them killed and
# taken up again, the table, the report. Minutes on two cores; no network, no GPU.
#
#   examples/rehearsal.sh [FOLDER]        # default: rehearsal; what it holds already is gone on with
#
# TRAIN and VAL (images a class) and EPOCHS make it shorter. What came of it, where and how long it took:
# docs/rehearsal.md.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-rehearsal}
mkdir -p "$folder" && cd "$folder"
export OMP_NUM_THREADS=1

say() { printf '\n[%4d s] %s\n' "$SECONDS" "$*"; }
counterstream() { python -m counterstream "$@"; }
train() {
    python -m torch.distributed.run --standalone --nproc-per-node 2 -m counterstream run "$here/rehearsal.yaml" \
        --data fractals --output runs ${EPOCHS:+--epochs "$EPOCHS"} --resume
}

say "Images in ImageNet's layout"
counterstream data fractals fractals --classes 20 --train "${TRAIN:-60}" --val "${VAL:-20}" --size 48
counterstream data check fractals
[ -e fractals.pack ] || counterstream data pack fractals -o fractals.pack

say "Five learning systems on two ranks, until Kolen-Pollack has saved itself once"
train &
first=$!
until compgen -G "runs/kolen_pollack-seed0.checkpoints/step-*.pt" > /dev/null; do
    kill -0 "$first" || { echo "training ended before it was killed"; exit 1; }
    sleep 1
done

say "Killed: every process at once, without a word"
below() {
    local child
    for child in $(pgrep -P "$1"); do below "$child"; echo "$child"; done
}
kill -KILL "$first" $(below "$first")
wait "$first" || true

say "Taken up again"
train

say "The table"
counterstream table runs --markdown table.md
counterstream report runs -o report.html
say "Done"
