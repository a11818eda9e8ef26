set -- "$AEXP" figure "figure_all_at_once.cfg" -o "$WORK/results"
