set -- "$@" -t 0
