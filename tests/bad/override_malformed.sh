set -- "$@" -s train.epochs
