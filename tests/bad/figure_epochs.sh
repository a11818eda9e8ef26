set -- "$AEXP" figure "figure_epochs.cfg" -o "$WORK/results"
