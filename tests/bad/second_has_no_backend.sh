# The first file is good, and must not run.
set -- "$AEXP" run with/good.cfg second_has_no_backend.cfg -o "$WORK/results"
