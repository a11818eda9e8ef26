set -- "$AEXP" figure "figure_metric_unknown.cfg" -o "$WORK/results"
