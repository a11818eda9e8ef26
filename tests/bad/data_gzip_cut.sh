# A gzip file that ends in the middle.
seq 1 2000 | sed 's/.*/u&,i&,3/;1i user,item,rating' | gzip -n | head -c 2000 >"$WORK/cut.csv.gz"
