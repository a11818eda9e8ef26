set -- "$AEXP" figure "figure_kind.cfg" -o "$WORK/results"
