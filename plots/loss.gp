# The loss curve: train loss and one metric of the validation part over the epochs, from loss.tsv beside this script.
# What it wants to be set above:
#   title        the experiment's name
#   epochs       how many there are
#   train_points, train_low, train_high, train_every
#                finite values of train.loss, their range, and how many epochs lie between two drawn points
#   valid_points, valid_low, valid_high, valid_every, valid_column, valid_name
#                the same of the metric; valid_points = 0: there is none
#   shared       1: the metric is the quantity that the loss is (one axis); 0: it has the right axis to itself
#   left_label   what the left axis shows
#   best_epoch, best_label
#                the vertical mark; best_epoch = 0: none

min(a, b) = a < b ? a : b
max(a, b) = a > b ? a : b

# What the left axis spans. Above a factor of 30 the axis is logarithmic, or the end of the curve lies flat on the floor.
low  = train_points > 0 ? train_low  : (shared ? valid_low  : 0.0)
high = train_points > 0 ? train_high : (shared ? valid_high : 1.0)
if (shared && valid_points > 0) { low = min(low, valid_low); high = max(high, valid_high) }
logarithmic = low > 0 && high / low > 30

# Headroom above the curves is where the mark's label goes; nothing below zero is shown that was never there.
floor_of(l, h) = h > l ? (l >= 0 ? max(0.0, l - 0.06 * (h - l)) : l - 0.06 * (h - l)) : l - max(abs(l) * 0.1, 1e-6)
top_of(l, h)   = h > l ? h + 0.16 * (h - l) : h + max(abs(h) * 0.1, 1e-6)
if (logarithmic) {
	decades = log10(high / low)
	set logscale y
	set yrange [low / 10 ** (0.06 * decades) : high * 10 ** (0.16 * decades)]
	set format y "%g"
	if (decades < 5) {
		set ytics ()
		do for [power = floor(log10(low)) - 1 : ceil(log10(high)) + 1] {
			do for [digit in "1 2 5"] {
				set ytics add (sprintf("%g", digit * 10.0 ** power) digit * 10.0 ** power)
			}
		}
	}
} else {
	set yrange [floor_of(low, high) : top_of(low, high)]
	set format y "%.4g"
}
if (valid_points > 0 && !shared) {
	set border 11
	set y2range [floor_of(valid_low, valid_high) : top_of(valid_low, valid_high)]
	set format y2 "%.4g"
	set y2tics
	set y2label valid_name textcolor rgb valid_colour
}

# A long name takes a smaller letter: the cut at 70 characters alone would still run over the edge.
if (strlen(title) > 48) { set title title font ',15' } else { set title title }
set xlabel "epoch" textcolor rgb text_colour
# With two axes each has the colour of its curve.
set ylabel left_label textcolor rgb (valid_points > 0 && !shared ? train_colour : text_colour)
margin = max(0.5, 0.02 * epochs)
set xrange [1 - margin : max(epochs, 1) + margin]
if (epochs <= 12) { set xtics 1 }

if (best_epoch > 0) {
	set arrow 1 from best_epoch, graph 0 to best_epoch, graph 1 nohead back linestyle 20
	if (best_epoch * 2 <= epochs) {
		set label 1 best_label at best_epoch, graph 0.95 left offset 0.8, 0 front boxed textcolor rgb text_colour
	} else {
		set label 1 best_label at best_epoch, graph 0.95 right offset -0.8, 0 front boxed textcolor rgb text_colour
	}
}
if (train_points == 0 && valid_points == 0) {
	set label 2 "no finite value" at graph 0.5, graph 0.5 center front
}

valid_axes = shared ? "x1y1" : "x1y2"
valid_title = shared || valid_points == 0 ? valid_name : valid_name . " (right axis)"
draw_train = "'loss.tsv' skip 1 using 1:2 with linespoints linestyle 1 pointinterval train_every title 'train loss'"
draw_valid = "'loss.tsv' skip 1 using 1:valid_column axes " . valid_axes . \
	" with linespoints linestyle 2 pointinterval valid_every title valid_title"
draw_none  = "NaN notitle"
draw = train_points > 0 && valid_points > 0 ? draw_train . ", " . draw_valid : \
	train_points > 0 ? draw_train : valid_points > 0 ? draw_valid : draw_none

set terminal @terminal_svg
set output "loss.svg"
plot @draw
set terminal @terminal_png
set output "loss.png"
plot @draw
set output
