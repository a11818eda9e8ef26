set -- "$AEXP" figure "figure_other_kind.cfg" -o "$WORK/results"
