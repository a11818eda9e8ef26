set -- "$AEXP" run with -o "$WORK/results"
