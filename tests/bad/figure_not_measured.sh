set -- "$AEXP" figure "figure_not_measured.cfg" -o "$WORK/results"
