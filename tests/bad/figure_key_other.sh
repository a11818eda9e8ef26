set -- "$AEXP" figure "figure_key_other.cfg" -o "$WORK/results"
