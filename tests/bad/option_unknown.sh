set -- "$@" --forse
