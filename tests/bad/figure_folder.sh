set -- "$AEXP" figure "figure_folder.cfg" -o "$WORK/results"
