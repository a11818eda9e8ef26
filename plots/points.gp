# A figure against one key, with points that were published. Set before: data, a table with a line of names, then `key TAB value TAB low TAB high TAB
# published`, nan where there is none; output; xname, yname, name. style.gp stands before this file:
#   gnuplot -e "data='d.tsv'; output='d.svg'; xname='hidden units'; yname='RMSE'; name='...'" plots/style.gp plots/points.gp
set xlabel xname textcolor rgb text_colour
set ylabel yname textcolor rgb text_colour
set title name
set autoscale xfix
set offsets graph 0.03, graph 0.03, graph 0.08, graph 0.08
set terminal @terminal_svg
set output output
plot data skip 1 using 1:2:3:4 with yerrorbars linecolor rgb train_colour linewidth 1.5 pointtype 7 pointsize 0.55 notitle, \
	data skip 1 using 1:2 with linespoints linestyle 1 title "aexp", \
	data skip 1 using 1:5 with points linecolor rgb valid_colour linewidth 2 pointtype 4 pointsize 1.4 title "published"
set output
