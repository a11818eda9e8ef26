set -- "$AEXP" figure "figure_published.cfg" -o "$WORK/results"
