#!/bin/bash
# A sweep through a real Slurm, of one node on the loopback, which this script starts and stops: the result is that of a sweep
# without it; --detach and --status; the death of the process that submitted; jobs that are cancelled. Skipped where there
# is no Slurm or no root. Usage: slurm.sh AEXP SOURCE
set -u
AEXP=$1
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch squeue scancel munged; do
	command -v "$program" >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: slurmd needs root"; exit 77; }
WORK=$(mktemp -d)
. "$2/tests/sweep/common.sh"

stop() {
	for name in slurmd slurmctld munged; do
		[ -f "$WORK/$name.pid" ] && kill "$(cat "$WORK/$name.pid")" 2>/dev/null
	done
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		pgrep -f "$WORK" >/dev/null || break
		sleep 0.2
	done
	pkill -9 -f "$WORK" 2>/dev/null
	rm -rf "$WORK"
}
trap stop EXIT

chmod 755 "$WORK"
mkdir -p "$WORK/munge" "$WORK/state" "$WORK/spool"
chmod 700 "$WORK/munge" # munged wants its key and log to itself
dd if=/dev/urandom of="$WORK/munge/key" bs=1024 count=1 2>/dev/null
chmod 400 "$WORK/munge/key"
munged --force --key-file="$WORK/munge/key" --socket="$WORK/munge.socket" --pid-file="$WORK/munged.pid" \
	--log-file="$WORK/munge/log" --seed-file="$WORK/munge/seed" 2>"$WORK/err" || { echo "skipped: munged does not start: $(cat "$WORK/err")"; exit 77; }
port=$((20000 + RANDOM % 20000))
cat >"$WORK/slurm.conf" <<END
ClusterName=test
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$WORK/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$WORK/state
SlurmdSpoolDir=$WORK/spool
SlurmctldPidFile=$WORK/slurmctld.pid
SlurmdPidFile=$WORK/slurmd.pid
SlurmctldLogFile=$WORK/slurmctld.log
SlurmdLogFile=$WORK/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
MinJobAge=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=$(hostname -s) NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$WORK/slurm.conf
slurmctld -f "$SLURM_CONF" 2>>"$WORK/err" && slurmd -f "$SLURM_CONF" 2>>"$WORK/err" || { echo "skipped: Slurm does not start: $(cat "$WORK/err")"; exit 77; }
for _ in $(seq 60); do
	sinfo -h -o %T 2>/dev/null | grep -q idle && break
	sleep 0.5
done
sinfo -h -o %T 2>/dev/null | grep -q idle || { echo "skipped: the node does not come up"; tail -5 "$WORK"/slurm*.log; exit 77; }

experiment "$WORK/small.cfg" "$learning"
experiment "$WORK/grid.cfg" "$grid"
sweep calm "$WORK/small.cfg"

# Waiting: the same bytes as without Slurm.
sweep slurm "$WORK/small.cfg" --launcher slurm --per-job 4
[ "$code" = 0 ] || fail "exit code $code: $(cat "$WORK/err"; cat "$WORK"/slurm/small/*/log/* 2>/dev/null)"
same calm slurm

# Detached; how far; collected by the same command later, which runs nothing.
sweep detached "$WORK/grid.cfg" --launcher slurm --per-job 3 --detach
[ "$code" = 0 ] || fail "--detach: $(cat "$WORK/err")"
grep -q submitted "$WORK/out" || fail "--detach says nothing"
[ -z "$(result detached)" ] || fail "there is a result before anything ran"
for _ in $(seq 150); do
	"$AEXP" sweep "$WORK/grid.cfg" --status -o "$WORK/detached" >"$WORK/status"
	grep -q '12 of 12 trials' "$WORK/status" && break
	sleep 0.2
done
grep -q '12 of 12 trials: 12 finished' "$WORK/status" || fail "--status: $(cat "$WORK/status")"
stamps detached >"$WORK/before"
sweep detached "$WORK/grid.cfg" --launcher slurm
stamps detached >"$WORK/after"
[ "$code" = 0 ] && cmp "$WORK/before" "$WORK/after" || fail "collecting ran something, or failed: $(cat "$WORK/err")"
sweep grid-calm "$WORK/grid.cfg" -j 2
same grid-calm detached

# The login node goes down while jobs run: they go on, and the same command takes up the waiting.
"$AEXP" sweep "$WORK/grid.cfg" --launcher slurm -q -o "$WORK/dies" >/dev/null 2>&1 &
parent=$!
for _ in $(seq 100); do
	[ "$(find "$WORK/dies" -name '[0-9]*.json' -path '*trials*' 2>/dev/null | wc -l)" -ge 1 ] && break
	sleep 0.1
done
kill -9 "$parent"
wait "$parent" 2>/dev/null
sweep dies "$WORK/grid.cfg" --launcher slurm
[ "$code" = 0 ] || fail "after the death of the first: $(cat "$WORK/err")"
same grid-calm dies

# Jobs that are cancelled leave failed trials, and --retry-failed runs them.
sweep cancelled "$WORK/grid.cfg" --launcher slurm --per-job 6 --detach
scancel --state=PENDING -u root
scancel -u root
sweep cancelled "$WORK/grid.cfg" --launcher slurm
retry=$code
if [ -n "$(result cancelled)" ] && grep -q '"failed": [1-9]' "$(result cancelled)"; then
	[ "$retry" = 1 ] || fail "exit code $retry with failed trials"
	sweep cancelled "$WORK/grid.cfg" --launcher slurm --retry-failed
fi
[ "$code" = 0 ] || fail "after cancelling: $(cat "$WORK/err")"
same grid-calm cancelled
[ -z "$failed" ]
