# The results folder would lie below a regular file.
: >"$WORK/results"
set -- "$@" -o "$WORK/results/below"
