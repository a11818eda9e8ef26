
# The pictures: whatever `draw` says, once a format.
do for [format in (tex ? "tex" : formats)] {
	if (format eq "svg") { set terminal @terminal_svg; set output name . ".svg" }
	if (format eq "pdf") { set terminal @terminal_pdf; set output name . ".pdf" }
	if (format eq "png") { set terminal @terminal_png; set output name . ".png" }
	# The graphic lies beside the text, under the same name: so it must not be NAME.
	if (format eq "tex") { set terminal @terminal_tex; set output name . "-inc.tex" }
	plot @draw
}
set output
if (tex) { system "mv -f -- " . name . "-inc.tex " . name . ".tex" }
if (tex_wanted && !tex) { tex = 1; load name . ".gp" }
