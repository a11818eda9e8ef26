set -- "$AEXP" figure "figure_metric.cfg" -o "$WORK/results"
