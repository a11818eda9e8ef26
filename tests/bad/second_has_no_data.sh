# The first file is good, and must not run: data is looked at before anything trains.
set -- "$AEXP" run with/good.cfg second_has_no_data.cfg -o "$WORK/results"
