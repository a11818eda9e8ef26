# A file that is no text.
printf 'user,item,rating\nu1,i1,3\nu2,i\0002,4\n' >"$WORK/nul.csv"
