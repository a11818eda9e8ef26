set -- "$AEXP" figure "figure_key.cfg" -o "$WORK/results"
