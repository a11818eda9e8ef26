set -- "$AEXP" figure "figure_file_and_folder.cfg" -o "$WORK/results"
