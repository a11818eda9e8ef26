set -- "$AEXP" figure "figure_run.cfg" -o "$WORK/results"
