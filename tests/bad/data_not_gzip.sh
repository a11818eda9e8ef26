# Bytes that only begin like gzip.
printf '\037\213\010\000 and then none of it' >"$WORK/text.csv.gz"
