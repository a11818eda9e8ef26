# The benchmark's pictures, from the tables that bench_report leaves in `folder`. Set before: folder; threads; shapes; peers
# and growth, 1 where there are any. style.gp stands before this file.

file(name, ending) = folder . "/bench-" . name . "." . ending
peer_colour = '#009e73'
dense_colour = '#999999'

set style data histograms
set style histogram clustered gap 1.5
set style fill solid 0.9 noborder
set boxwidth 0.9
set logscale y
set format y "%g"
set ylabel "seconds an epoch" textcolor rgb text_colour
set xtics rotate by -20 font ',12'
set bmargin 8
set title sprintf("An epoch: aexp on %d threads, its bound%s", threads, peers ? ", PyTorch" : "")
draw_aexp = "file('epochs', 'tsv') skip 1 using 3:xtic(1) linecolor rgb '#c8d0e0' title 'bound', " . \
	"'' skip 1 using 2 linecolor rgb train_colour title 'aexp'"
draw_peers = ", '' skip 1 using 4 linecolor rgb peer_colour title 'PyTorch expert', " . \
	"'' skip 1 using 5 linecolor rgb dense_colour title 'PyTorch dense'"
draw = draw_aexp . (peers ? draw_peers : "")
do for [kind in "svg png"] {
	if (kind eq "svg") { set terminal @terminal_svg } else { set terminal @terminal_png }
	set output file("epochs", kind)
	if (shapes > 0) { plot @draw }
}

if (growth) {
	set logscale x
	set format x "%.0s%c"
	set xtics norotate font ',15'
	set bmargin 7
	set autoscale xfixmin
	set style data linespoints
	do for [what in "ratings items"] {
		set xlabel what textcolor rgb text_colour
		set title what eq "ratings" ? "Growth with ratings: 20,000 items" : "Growth with items: 4 million ratings"
		do for [kind in "svg png"] {
			if (kind eq "svg") { set terminal @terminal_svg } else { set terminal @terminal_png }
			set output file(what, kind)
			plot file(what, "tsv") skip 1 using 1:2 linestyle 1 title "measured", \
				'' skip 1 using 1:3 linestyle 2 title "bytes moved over the row-gather bandwidth"
		}
	}
}
set output
