set -- "$AEXP" figure "figure_format_table.cfg" -o "$WORK/results"
