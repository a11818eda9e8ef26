set -- "$@" -s extends=with/file.cfg
