# What the scripts of this folder share; read by them after AEXP, SOURCE and WORK are set.

failed=
fail() {
	echo "$*"
	failed=1
}

# A small run of a moment, with more batches in an epoch than are gathered at once, so that there are checkpoints within it.
# experiment FILE BACKEND LINE...: the lines end the file.
experiment() {
	file=$1 backend=$2
	shift 2
	cat >"$file" <<END
name = "small";
seed = 11;
backend = "$backend";
data: { source: { format = "synthetic"; users = 500; items = 50; ratings = 4000; };
	split: { kind = "ratio"; valid = 0.1; test = 0.1; }; };
train: { epochs = 7; batch = 2; };
metrics = [ "rmse", "ndcg@10" ];
END
	printf '%s\n' "$@" >>"$file"
}

# The kinds of training whose state differs. kind NAME: its lines of an experiment file.
kinds='lazy_adadelta lazy_sgd dense_adam dropout early_stop plateau phases sampled refeed clip warmup halved lbfgs from_file closed'
plain='graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 24; activation = "sigmoid"; l2 = 0; path = "sparse"; },
	{ name = "score"; op = "dense"; units = "items"; path = "sparse"; } );'
kind() {
	case $1 in
	lazy_adadelta) echo "$plain optimizer = \"adadelta\";" ;;
	lazy_sgd) echo "$(echo "$plain" | sed 's/l2 = 0/l2 = 0.001/') optimizer: { kind = \"sgd\"; rate = 0.01; };" ;;
	dense_adam) echo "$(echo "$plain" | sed 's/sparse/dense/') optimizer: { kind = \"adam\"; rate = 0.01; };" ;;
	dropout)
		echo 'graph: ( { name = "shown"; op = "dropout"; input = "ratings"; rate = 0.3; },
			{ name = "taste"; op = "dense"; units = 24; activation = "relu"; }, { name = "norm"; op = "batch_norm"; },
			{ name = "noise"; op = "noise"; sd = 0.1; }, { name = "own"; op = "embedding"; units = 24; l2 = 1e-5; },
			{ name = "sum"; op = "add"; inputs = [ "noise", "own" ]; },
			{ name = "score"; op = "dense"; units = "items"; } ); optimizer: { kind = "sgd"; rate = 0.005; momentum = 0.9; };' ;;
	early_stop) echo "$plain optimizer: { kind = \"adam\"; rate = 0.05; };
		train: { epochs = 40; early_stop: { metric = \"valid.rmse\"; patience = 3; }; };" ;;
	plateau) echo "$plain optimizer: { kind = \"rmsprop\"; rate = 0.02; schedule: { kind = \"plateau\"; patience = 1; factor = 0.5; }; };
		train: { epochs = 12; };" ;;
	phases)
		echo 'graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 24; activation = "tanh"; },
			{ name = "mean"; op = "dense"; input = "taste"; units = 6; }, { name = "spread"; op = "dense"; input = "taste"; units = 6; },
			{ name = "z"; op = "gaussian"; inputs = [ "mean", "spread" ]; prior = "composite"; },
			{ name = "score"; op = "dense"; units = "items"; l2 = 1e-4; } );
			loss: { kind = "masked_mse"; kl: { cap = 0.01; steps = 30; }; }; optimizer: { kind = "adam"; rate = 0.01; };
			train: { alternate: ( { nodes = [ "taste", "mean", "spread" ]; epochs = 2; }, { nodes = [ "score" ]; } ); };' ;;
	sampled) echo "$plain optimizer = \"adagrad\"; data: { buckets: { thresholds = [ 3.5 ]; values = [ 0.0, 1.0 ]; }; };
		loss: { kind = \"masked_mse\"; targets = \"sampled\"; negatives = 2; };" ;;
	refeed) echo "$plain optimizer: { kind = \"sgd\"; rate = 0.001; momentum = 0.9; }; train: { refeed = 1; };" ;;
	clip) echo "$plain optimizer: { kind = \"adam\"; rate = 0.01; clip_norm = 0.1; };" ;;
	warmup) echo "$plain optimizer: { kind = \"sgd\"; rate = 0.005; momentum = 0.9; schedule: { kind = \"cosine\"; warmup = 40; }; };" ;;
	lbfgs) echo "$(echo "$plain" | sed 's/l2 = 0/l2 = 0.001/') optimizer: { kind = \"lbfgs\"; memory = 4; };
		train: { epochs = 60; batch = 0; early_stop: { metric = \"valid.rmse\"; patience = 50; }; };" ;;
	closed) echo 'model: { kind = "user_item_bias"; };' ;; # fitted in one go: from the beginning
	from_file) # the only one whose data is read from a file, of which a cache is left
		awk 'BEGIN { srand(3); print "user,item,rating"
			for (u = 1; u <= 400; u++) for (i = 1 + u % 7; i <= 50; i += 4 + (u * i) % 9) print u "," i "," 1 + int(5 * rand()) }' >"$WORK/ratings.csv"
		echo "$plain optimizer = \"adadelta\"; data: { source: { format = \"delimited\"; path = \"ratings.csv\"; }; };" ;;
	halved) echo "$plain optimizer: { kind = \"sgd\"; rate = 40.0; }; train: { on_divergence = \"halve_rate\"; };" ;;
	esac
}

# write KIND FILE: BACKEND: groups that stand twice are merged by a second file.
write() {
	if [ "$1" = closed ]; then # has no training
		experiment "$2" "$3" "$(kind closed)"
		sed -i '/^train:/d' "$2"
		return
	fi
	experiment "$WORK/base-$3.cfg" "$3"
	{
		echo "extends = \"base-$3.cfg\";"
		kind "$1"
	} >"$2"
}

# A checkpoint after each epoch, and after each batch: whatever it costs.
often='-s train.checkpoint.share=1 -s train.checkpoint.minutes=1e-9'
results='metrics.json model.safetensors history.jsonl loss.tsv users.tsv'

# same FOLDER FOLDER WORDS: the finished run below each is the same to the byte, and nothing half-made is left.
same() {
	one=$(dirname "$(find "$1" -name metrics.json)") two=$(dirname "$(find "$2" -name metrics.json)")
	for name in $results; do
		cmp -s "$one/$name" "$two/$name" || { fail "$3: $name differs"; return 1; }
	done
	left=$(find "$2" -name '*.tmp' -o -name '.tmp-*' -o -name '.*.lock' -o -name '.*.owner' -o -name checkpoint)
	[ -z "$left" ] || { fail "$3: left behind: $left"; return 1; }
}
