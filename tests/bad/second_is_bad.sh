# The first file is good, and must not run.
set -- "$AEXP" run with/good.cfg second_is_bad.cfg -o "$WORK/results"
