set -- "$AEXP" run with/nothing.cfg -o "$WORK/results"
