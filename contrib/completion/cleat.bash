# SPDX-License-Identifier: Apache-2.0
# Written by man/words from the tables of the program and man/text.
# bash completion of cleat

_cleat_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur"); }
# as the names of files: with a slash behind a directory
_cleat_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}
_cleat_none() { COMPREPLY=(); }
_cleat_ids() {
	_cleat_words "$(cleat ${root:+--root "$root"} list -q 2>/dev/null)"
}

# The value of an option: SCOPE:OPTION
_cleat_value() {
	case $1 in
	:--root) _cleat_files -d ;;
	:--log) _cleat_files -f ;;
	:--log-format) _cleat_words "text json" ;;
	:--log-level) _cleat_words "error warning warn info debug" ;;
	:--cgroup-manager) _cleat_words "cgroupfs systemd disabled" ;;
	:--systemd-timeout) _cleat_none ;;
	:--rootless) _cleat_words "auto true false" ;;
	checkpoint:--image-path) _cleat_files -d ;;
	checkpoint:--work-path) _cleat_files -d ;;
	checkpoint:--parent-path) _cleat_files -d ;;
	checkpoint:--empty-ns) _cleat_none ;;
	checkpoint:--manage-cgroups-mode) _cleat_none ;;
	checkpoint:--network-lock) _cleat_none ;;
	checkpoint:--page-server) _cleat_none ;;
	checkpoint:--status-fd) _cleat_none ;;
	create:--bundle | create:-b) _cleat_files -d ;;
	create:--config | create:-f) _cleat_files -f ;;
	create:--console-socket) _cleat_files -f ;;
	create:--pidfd-socket) _cleat_files -f ;;
	create:--pid-file) _cleat_files -f ;;
	create:--preserve-fds) _cleat_none ;;
	events:--interval) _cleat_none ;;
	exec:--process | exec:-p) _cleat_files -f ;;
	exec:--create) _cleat_none ;;
	exec:--start) _cleat_none ;;
	exec:--env | exec:-e) _cleat_none ;;
	exec:--cwd) _cleat_files -d ;;
	exec:--user | exec:-u) _cleat_none ;;
	exec:--user-name) _cleat_none ;;
	exec:--additional-gids | exec:-g) _cleat_none ;;
	exec:--cap | exec:-c) _cleat_none ;;
	exec:--apparmor) _cleat_none ;;
	exec:--process-label) _cleat_none ;;
	exec:--cgroup) _cleat_none ;;
	exec:--console-socket) _cleat_files -f ;;
	exec:--pidfd-socket) _cleat_files -f ;;
	exec:--pid-file) _cleat_files -f ;;
	exec:--preserve-fds) _cleat_none ;;
	kill:--signal | kill:-s) _cleat_words "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH" ;;
	list:--format | list:-f) _cleat_words "table json" ;;
	mounts:--format | mounts:-f) _cleat_words "table json" ;;
	ps:--format | ps:-f) _cleat_words "table json" ;;
	restore:--image-path) _cleat_files -d ;;
	restore:--work-path) _cleat_files -d ;;
	restore:--parent-path) _cleat_files -d ;;
	restore:--empty-ns) _cleat_none ;;
	restore:--manage-cgroups-mode) _cleat_none ;;
	restore:--network-lock) _cleat_none ;;
	restore:--bundle | restore:-b) _cleat_files -d ;;
	restore:--config | restore:-f) _cleat_files -f ;;
	restore:--pid-file) _cleat_files -f ;;
	restore:--console-socket) _cleat_files -f ;;
	restore:--pidfd-socket) _cleat_files -f ;;
	restore:--lsm-profile) _cleat_none ;;
	restore:--lsm-mount-context) _cleat_none ;;
	run:--bundle | run:-b) _cleat_files -d ;;
	run:--config | run:-f) _cleat_files -f ;;
	run:--console-socket) _cleat_files -f ;;
	run:--pidfd-socket) _cleat_files -f ;;
	run:--pid-file) _cleat_files -f ;;
	run:--preserve-fds) _cleat_none ;;
	spec:--bundle | spec:-b) _cleat_files -d ;;
	spec:--config | spec:-f) _cleat_files -f ;;
	stats:--format | stats:-f) _cleat_words "table json prometheus" ;;
	stats:--interval) _cleat_none ;;
	stop:--time | stop:-t) _cleat_none ;;
	update:--resources | update:-r) _cleat_files -f ;;
	update:--blkio-weight) _cleat_none ;;
	update:--cpu-period) _cleat_none ;;
	update:--cpu-quota) _cleat_none ;;
	update:--cpu-burst) _cleat_none ;;
	update:--cpu-share) _cleat_none ;;
	update:--cpu-rt-period) _cleat_none ;;
	update:--cpu-rt-runtime) _cleat_none ;;
	update:--cpu-idle) _cleat_none ;;
	update:--cpuset-cpus) _cleat_none ;;
	update:--cpuset-mems) _cleat_none ;;
	update:--kernel-memory-tcp) _cleat_none ;;
	update:--memory) _cleat_none ;;
	update:--memory-reservation) _cleat_none ;;
	update:--memory-swap) _cleat_none ;;
	update:--pids-limit) _cleat_none ;;
	update:--l3-cache-schema) _cleat_none ;;
	update:--mem-bw-schema) _cleat_none ;;
	wait:--format | wait:-f) _cleat_words "status json" ;;
	wait:--time | wait:-t) _cleat_none ;;
	*) return 1 ;;
	esac
}

_cleat_options() {
	case $1 in
	'') _cleat_words "--root --log --log-format --log-level --debug --systemd-cgroup --cgroup-manager --systemd-timeout --rootless --version -v --help -h" ;;
	check) _cleat_words "--strict --plan --help -h" ;;
	checkpoint) _cleat_words "--image-path --work-path --parent-path --tcp-established --tcp-close --ext-unix-sk --shell-job --file-locks --lazy-pages --auto-dedup --link-remap --empty-ns --manage-cgroups-mode --network-lock --leave-running -R --pre-dump -P --page-server --status-fd --tcp-skip-in-flight --help -h" ;;
	create) _cleat_words "--bundle -b --config -f --console-socket --pidfd-socket --pid-file --preserve-fds --no-pivot --no-new-keyring --record-exit --require-limits --help -h" ;;
	delete) _cleat_words "--force -f --regex -r --help -h" ;;
	events) _cleat_words "--interval --stats --help -h" ;;
	exec) _cleat_words "--process -p --tty -t --detach -d --create --start --env -e --cwd --user -u --user-name --additional-gids -g --cap -c --no-new-privs --apparmor --process-label --cgroup --ignore-paused --console-socket --pidfd-socket --pid-file --preserve-fds --help -h" ;;
	features) _cleat_words "--help -h" ;;
	help) _cleat_words "--help -h" ;;
	kill) _cleat_words "--all -a --regex -r --signal -s --help -h" ;;
	list) _cleat_words "--format -f --quiet -q --help -h" ;;
	mounts) _cleat_words "--format -f --help -h" ;;
	pause) _cleat_words "--help -h" ;;
	ps) _cleat_words "--format -f --help -h" ;;
	restore) _cleat_words "--image-path --work-path --parent-path --tcp-established --tcp-close --ext-unix-sk --shell-job --file-locks --lazy-pages --auto-dedup --link-remap --empty-ns --manage-cgroups-mode --network-lock --bundle -b --config -f --detach -d --pid-file --console-socket --pidfd-socket --no-subreaper --no-pivot --lsm-profile --lsm-mount-context --help -h" ;;
	resume) _cleat_words "--help -h" ;;
	run) _cleat_words "--bundle -b --config -f --console-socket --pidfd-socket --pid-file --preserve-fds --no-pivot --no-new-keyring --record-exit --require-limits --detach -d --keep --no-subreaper --help -h" ;;
	spec) _cleat_words "--bundle -b --config -f --rootless --help -h" ;;
	start) _cleat_words "--help -h" ;;
	state) _cleat_words "--help -h" ;;
	stats) _cleat_words "--format -f --watch -w --interval --help -h" ;;
	stop) _cleat_words "--time -t --help -h" ;;
	update) _cleat_words "--resources -r --blkio-weight --cpu-period --cpu-quota --cpu-burst --cpu-share --cpu-rt-period --cpu-rt-runtime --cpu-idle --cpuset-cpus --cpuset-mems --kernel-memory-tcp --memory --memory-reservation --memory-swap --pids-limit --l3-cache-schema --mem-bw-schema --help -h" ;;
	wait) _cleat_words "--format -f --time -t --help -h" ;;
	esac
}

_cleat_operand() {
	case $1 in
	'' | help) _cleat_words "check checkpoint create delete events exec features help kill list mounts pause ps restore resume run spec start state stats stop update wait" ;;
	checkpoint | delete | events | exec | kill | pause | ps | restore | resume | start | state | stats | stop | update | wait) _cleat_ids ;;
	check) _cleat_files -f ;;
	create | run) _cleat_files -d ;;
	esac
}

_cleat() {
	local cur=${COMP_WORDS[COMP_CWORD]} scope='' root='' i word
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == -* ]]; then
			# a value is no operand
			_cleat_value "$scope:$word" && ((i++))
			[[ $scope:$word == :--root ]] && root=${COMP_WORDS[i]}
		elif [[ -z $scope ]]; then
			scope=$word
		fi
	done
	COMPREPLY=()
	if ((i > COMP_CWORD)); then
		_cleat_value "$scope:$word"
	elif [[ $cur == -* ]]; then
		_cleat_options "$scope"
	else
		_cleat_operand "$scope"
	fi
}
complete -F _cleat cleat
