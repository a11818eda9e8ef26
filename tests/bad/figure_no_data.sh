set -- "$AEXP" figure "figure_no_data.cfg" -o "$WORK/results"
