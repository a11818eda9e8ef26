set -- "$AEXP" figure "figure_takes.cfg" -o "$WORK/results"
