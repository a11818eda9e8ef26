set -- "$@" -s graph.tast.units=3
