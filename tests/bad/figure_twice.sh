set -- "$AEXP" figure "figure_twice.cfg" "figure_twice.cfg" -o "$WORK/results"
