set -- "$AEXP" figure "figure_no_sweep.cfg" -o "$WORK/results"
