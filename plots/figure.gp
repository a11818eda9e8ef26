# What all figures of figure files begin with, below their facts and style.gp. What it wants to be set above:
#   name      of the files: NAME.tsv is what is drawn
#   formats   "svg pdf png", those that are wanted; tex_wanted  1: LaTeX as well, in a second pass over this script
#   tex       0 in the first pass, 1 in the second, where texts are spelled for LaTeX
#   title, xlabel, ylabel   "" for none
table = name . ".tsv"
if (strlen(title) > 0) { set title title }
if (strlen(xlabel) > 0) { set xlabel xlabel textcolor rgb text_colour }
if (strlen(ylabel) > 0) { set ylabel ylabel textcolor rgb text_colour }

# A range with some air around it; on a logarithmic axis by factors.
air(l, h, share) = h > l ? share * (h - l) : (l == 0 ? 1 : abs(l) * 0.1)
below(l, h, logarithmic) = logarithmic ? l / (h / l) ** 0.06 / (h > l ? 1 : 1.2) : l - air(l, h, 0.06)
above(l, h, logarithmic) = logarithmic ? h * (h / l) ** 0.06 * (h > l ? 1 : 1.2) : h + air(l, h, 0.08)
