set -- "$@" -s train.epoch=3
