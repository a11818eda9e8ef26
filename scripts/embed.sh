#!/bin/sh
# Writes a C file that holds text files as byte arrays, each ended by a NUL: embed.sh HEADER FILE... > out.c
# plots/loss.gp becomes `const unsigned char embedded_loss_gp[]`, which HEADER declares. Only od and sed are needed, so
# that the build asks for no interpreter; the files stay the one source of what the binary carries.
set -eu
header=$1
shift
echo '// Made by scripts/embed.sh; edit the files it was made from.'
echo "#include \"$header\""
for file in "$@"; do
	name=$(basename "$file" | sed 's/[^A-Za-z0-9]/_/g')
	echo "const unsigned char embedded_$name[] = {"
	od -An -v -tu1 "$file" | sed 's/[0-9][0-9]*/&,/g'
	echo '0};'
done
