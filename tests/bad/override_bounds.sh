set -- "$@" -s train.epochs=0
