# Without gnuplot the run succeeds and one line says so.
mkdir "$WORK/bin"
PATH="$WORK/bin"
FINISHED=1
