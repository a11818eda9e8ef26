set -- "$@" -s
