mkdir -p "$WORK/run"
cp with/good.cfg "$WORK/run/experiment.cfg"
set -- "$AEXP" plot "$WORK/run" -o "$WORK/results"
