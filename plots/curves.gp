# Curves over the epochs, or over whatever the first column counts, with a band where there are several runs. Wants:
#   series_count, series[]   their names; series I is in columns 3 I - 1 (mean), 3 I (low) and 3 I + 1 (high)
#   bands[]                  1: the series has a band
#   every                    points lie this many rows apart
#   x_low, x_high, y_low, y_high   what is drawn; x_log, y_log  1: that axis is logarithmic; steps  1: values hold until the next
if (x_log) { set logscale x }
if (y_log) { set logscale y }
set format x "%g"
set format y "%g"
set xrange [x_log ? below(x_low, x_high, 1) : x_low - air(x_low, x_high, 0.02) : x_log ? above(x_low, x_high, 1) : x_high + air(x_low, x_high, 0.02)]
set yrange [below(y_low, y_high, y_log) : above(y_low, y_high, y_log)]
if (!x_log && x_high - x_low <= 12) { set xtics 1 }
set style fill transparent solid 0.18 noborder

draw = "for [i = 1:series_count] table skip 1 using 1:(bands[i] ? column(3 * i) : NaN):(bands[i] ? column(3 * i + 1) : NaN) " . \
	"with filledcurves linestyle i notitle"
if (steps) {
	draw = draw . ", for [i = 1:series_count] '' skip 1 using 1:3 * i - 1 with steps linestyle i title series[i]"
} else {
	draw = draw . ", for [i = 1:series_count] '' skip 1 using 1:3 * i - 1 with linespoints linestyle i pointinterval every title series[i]"
}
