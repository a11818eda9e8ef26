# Two objectives: every run or trial a point, and the front of those that none is better than in both. Columns of the
# table: x, y, 1 where it stands in the front (those rows come first, in order of x), low and high of x, low and high of y.
# Wants:
#   x_low, x_high, y_low, y_high    what is drawn
#   x_higher, y_higher              1: more is better
#   front_name, others_name         for the legend; others  1: there are points behind the front
#   labels_count, labels[], label_x[], label_y[]   names beside points
set format x "%g"
set format y "%g"
set xrange [below(x_low, x_high, 0) : above(x_low, x_high, 0)]
set yrange [below(y_low, y_high, 0) : above(y_low, y_high, 0)]
set xtics x_step(x_low, x_high)
set ytics y_step(y_low, y_high)
do for [i = 1:labels_count] {
	set label i labels[i] at label_x[i], label_y[i] left offset 0.6, 0.5 front textcolor rgb text_colour
}
# The front is a staircase: between two points the one counts that is no worse in x.
draw = "table skip 1 using ($3 == 0 ? $1 : NaN):2 with points linestyle 8 title others_name"
if (!others) { draw = "NaN notitle" }
corner = x_higher ? "fsteps" : "steps"
draw = draw . ", table skip 1 using ($3 == 1 ? $1 : NaN):2 with " . corner . " linestyle 1 linewidth 0.7 * line dashtype (3, 3) notitle"
if (bars) {
	draw = draw . ", '' skip 1 using 1:2:4:5:6:7 with xyerrorbars linecolor rgb '#888888' linewidth 0.6 * line pointsize 0.05 notitle"
}
draw = draw . ", '' skip 1 using ($3 == 1 ? $1 : NaN):2 with points linestyle 1 pointsize 0.9 title front_name"
