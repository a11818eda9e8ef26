set -- "$AEXP" figure "figure_font.cfg" -o "$WORK/results"
