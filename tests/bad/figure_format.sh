set -- "$AEXP" figure "figure_format.cfg" -o "$WORK/results"
