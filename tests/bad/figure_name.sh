set -- "$AEXP" figure "figure_name.cfg" -o "$WORK/results"
