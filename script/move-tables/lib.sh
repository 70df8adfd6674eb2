# shellcheck shell=sh
# What the scripts for local clusters share: where they are, which way they run
# (Docker or plain processes), and how to start, stop and ask one server.

. "${0%/*}/../lib.sh"

MT_HERE=$MT_TOP/script/move-tables
MT_PORT_BASE=${MT_PORT_BASE:-3307}
MT_ROLES='source-primary source-replica target-primary target-replica'
MT_ROOT_PASSWORD=opensesame
MT_COMPOSE_PROJECT=move-tables-$MT_PORT_BASE

# Where the clusters of this port base are known from, whatever --dir said: a link
# then. Short, as a socket's path may have 107 characters.
MT_RUN=${MT_DIR:-/tmp/move-tables-$(id -u)-$MT_PORT_BASE}
MT_CONF=$MT_RUN/cluster.conf

# Asked for help, the script's own header is all that happens.
mt_help() {
    for a in "$@"; do
        case $a in --help | -h) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
    done
}

# For scripts that take nothing but --help.
mt_no_arguments() {
    mt_help "$@"
    [ $# -eq 0 ] || die "'$1': it takes no arguments, only --help"
}

mt_conf() { sed -n "s/^$1=//p" "$MT_CONF" 2>/dev/null; }

mt_need_cluster() {
    [ -f "$MT_CONF" ] || die "there are no local clusters on ports $MT_PORT_BASE and up: script/move-tables/setup makes them"
    way=$(mt_conf way)
    MT_PORT_BASE=$(mt_conf port_base)
    MT_COMPOSE_PROJECT=move-tables-$MT_PORT_BASE
}

mt_port() {
    case $1 in
    source-primary) echo "$MT_PORT_BASE" ;;
    source-replica) echo $((MT_PORT_BASE + 1)) ;;
    target-primary) echo $((MT_PORT_BASE + 2)) ;;
    target-replica) echo $((MT_PORT_BASE + 3)) ;;
    *) die "'$1' is no role: $MT_ROLES" ;;
    esac
}

# Plain processes run where mysqld is: the script starts itself again in there.
mt_enter_root() {
    [ -z "${MT_ENTERED-}" ] || return 0
    [ -e "$MT_MARK" ] || "$MT_TOP/script/bootstrap"
    export MT_ENTERED=1 MT_PORT_BASE MT_WAY=process
    # A --dir elsewhere has to be visible in there.
    MT_BIND="${MT_BIND-} $(readlink -f "$MT_RUN" 2>/dev/null || :) ${MT_NEW_DIR-}"
    export MT_BIND
    exec "$MT_TOP/script/in-root" "$@"
}

# --- plain processes -----------------------------------------------------------

# The server's pid, if it is alive and really ours: a pid file alone may be old.
mt_pid() {
    pid=$(cat "$MT_RUN/$1/pid" 2>/dev/null) && [ -n "$pid" ] || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "--datadir=$MT_RUN/$1/data" || return 1
    echo "$pid"
}

# Also its port: a process that was killed has no command line any more while it still has its sockets.
mt_wait_gone() { # role seconds
    n=$(($2 * 20))
    while mt_pid "$1" >/dev/null || mt_port_taken "$(mt_port "$1")"; do
        [ $((n -= 1)) -gt 0 ] || return 1
        sleep 0.05
    done
}

mt_proc_start() { # role [option…]
    role=$1 && shift
    d=$MT_RUN/$role
    ! mt_pid "$role" >/dev/null || return 0
    ! mt_port_taken "$(mt_port "$role")" || die "port $(mt_port "$role") is taken by another program: stop it, or set MT_PORT_BASE"
    user=
    [ "$(id -u)" != 0 ] || user=--user=root
    # A killed server's lock would stop this one as long as its pid is anybody's.
    rm -f "$d/pid" "$d/sock" "$d/sock.lock"
    # Not --no-defaults: that would ignore what SET PERSIST left.
    printf '[mysqld]\n' >"$d/my.cnf"
    # Later options win: the defaults, then setup's, then this call's.
    while IFS= read -r o; do set -- "$o" "$@"; done <<-END
	$(sed -n '1!G;h;$p' "$MT_RUN/options")
	END
    [ -n "$1" ] || shift
    # shellcheck disable=SC2086
    setsid mysqld --defaults-file="$d/my.cnf" $user \
        --datadir="$d/data" --socket="$d/sock" --pid-file="$d/pid" --log-error="$d/error.log" \
        --port="$(mt_port "$role")" --server-id="$(mt_port "$role")" --bind-address=127.0.0.1 \
        --report-host=127.0.0.1 --report-port="$(mt_port "$role")" \
        --secure-file-priv= --mysqlx=OFF --skip-name-resolve --tmpdir=/tmp \
        --gtid-mode=ON --enforce-gtid-consistency=ON --log-bin=binlog --log-replica-updates=ON \
        --binlog-row-image=FULL --relay-log=relay --local-infile=ON \
        --performance-schema=OFF --innodb-buffer-pool-size=64M --innodb-redo-log-capacity=32M \
        "$@" </dev/null >>"$d/error.log" 2>&1 9>&- &
    echo $! >"$d/launched"
}

mt_port_taken() { ss -Hltn "sport = :$1" 2>/dev/null | grep -q .; }

mt_proc_ping() {
    MYSQL_PWD=$MT_ROOT_PASSWORD mysql --no-defaults -uroot --socket="$MT_RUN/$1/sock" -e 'DO 1' >/dev/null 2>&1
}

# Until it answers; if it died, its own last words.
mt_proc_wait() {
    n=600
    while ! mt_proc_ping "$1"; do
        if ! kill -0 "$(cat "$MT_RUN/$1/launched")" 2>/dev/null || grep -q '^State:.Z' "/proc/$(cat "$MT_RUN/$1/launched")/status" 2>/dev/null; then
            grep -F '[ERROR]' "$MT_RUN/$1/error.log" | tail -n 3 >&2 || :
            die "$1 did not start, see $MT_RUN/$1/error.log"
        fi
        [ $((n -= 1)) -gt 0 ] || die "$1 does not answer after 60 s, see $MT_RUN/$1/error.log"
        sleep 0.1
    done
}

# A data directory, initialised once and kept: every server starts as a copy.
mt_template() {
    # These can be chosen only now, so they are part of the template's name.
    init=$(grep -E '^--(lower[-_]case[-_]table[-_]names|innodb[-_]page[-_]size|innodb[-_]undo[-_]tablespaces|innodb[-_]data[-_]file[-_]path)=' "$MT_RUN/options") || :
    sum=$({ mysqld --version; echo "$init"; sed -n '/^mt_template()/,/^}/p' "$MT_HERE/lib.sh"; } | sha256sum | cut -c1-12)
    template=$MT_CACHE/template-$sum
    [ ! -d "$template" ] || return 0
    mkdir -p "$MT_CACHE"
    exec 8>"$MT_CACHE/template.lock"
    flock 8
    [ ! -d "$template" ] || return 0
    say "initialising a data directory (once)"
    rm -rf "$template.part" "$template.sql"
    cat >"$template.sql" <<-END
	ALTER USER root@localhost IDENTIFIED BY '$MT_ROOT_PASSWORD';
	CREATE USER root@'%' IDENTIFIED BY '$MT_ROOT_PASSWORD';
	GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
	END
    user=
    [ "$(id -u)" != 0 ] || user=--user=root
    # shellcheck disable=SC2086
    mysqld --no-defaults $user --initialize-insecure --init-file="$template.sql" --disable-log-bin \
        --innodb-redo-log-capacity=32M $init --datadir="$template.part" >"$template.log" 2>&1 8>&- || {
        tail -n 5 "$template.log" >&2
        die "mysqld --initialize failed"
    }
    # Or all servers would share one UUID.
    rm -f "$template.part/auto.cnf" "$template.sql" "$template.log"
    mv -T "$template.part" "$template"
    flock -u 8
}

# --- Docker ---------------------------------------------------------------------

# The plugin, or the program that it once was.
mt_docker_compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

mt_compose() {
    mt_compose_env
    mt_docker_compose --project-directory "$MT_TOP" -f "$MT_TOP/docker-compose.yml" -p "$MT_COMPOSE_PROJECT" "$@"
}

mt_compose_env() {
    MYSQL_IMAGE=$(mt_conf image)
    MYSQLD_OPTIONS=
    while IFS= read -r o; do
        [ -z "$o" ] || MYSQLD_OPTIONS="$MYSQLD_OPTIONS '$o'"
    done <"$MT_RUN/options"
    for r in $MT_ROLES; do
        v=$(echo "$r" | tr a-z- A-Z_)
        export "MT_PORT_$v=$(mt_port "$r")"
        data=$(mt_conf data)
        [ -z "$data" ] || export "MT_DATA_$v=$data/$r"
    done
    export MYSQL_IMAGE MYSQLD_OPTIONS
}

# By its labels: asking Compose would take half a second each time.
mt_container() {
    docker ps -aq --filter "label=com.docker.compose.project=$MT_COMPOSE_PROJECT" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

mt_docker_wait() {
    n=240
    # By TCP: the image's first, private start listens on its socket only.
    while ! docker exec -e MYSQL_PWD=$MT_ROOT_PASSWORD "$(mt_container "$1")" mysql -h127.0.0.1 -uroot -e 'DO 1' >/dev/null 2>&1; do
        [ "$(docker inspect -f '{{.State.Running}}' "$(mt_container "$1")" 2>/dev/null)" = true ] && [ $((n -= 1)) -gt 0 ] || {
            docker logs --tail 10 "$(mt_container "$1")" >&2 || :
            die "$1 did not start"
        }
        sleep 0.25
    done
}

# The image that Docker can start from, or nothing. Never waits long: a registry that
# can't be reached is found out before a pull is tried.
mt_docker_image() {
    command -v docker >/dev/null 2>&1 || { why="there is no docker here"; return 1; }
    timeout 5 docker info >/dev/null 2>&1 || { why="no Docker engine answers"; return 1; }
    mt_docker_compose version >/dev/null 2>&1 || { why="Docker Compose is missing"; return 1; }
    for i in ${MYSQL_IMAGE:-mysql:8.4 move-tables-mysql:local}; do
        ! docker image inspect "$i" >/dev/null 2>&1 || { image=$i; return 0; }
    done
    image=${MYSQL_IMAGE:-mysql:8.4}
    say "the image $image is not here; asking the registry"
    if timeout 8 docker manifest inspect "$image" >/dev/null 2>&1 && timeout 600 docker pull -q "$image" >/dev/null; then
        return 0
    fi
    why="the image $image is not here and can't be pulled (script/move-tables/image makes one)"
    return 1
}

# --- either way -------------------------------------------------------------------

mt_start() { # role [option…]
    if [ "$way" = docker ]; then
        [ $# -eq 1 ] || die "options for one start work without Docker only (MT_WAY=process)"
        docker start "$(mt_container "$1")" >/dev/null
        mt_docker_wait "$1"
    else
        mt_proc_start "$@"
        mt_proc_wait "$1"
    fi
}

mt_stop() {
    if [ "$way" = docker ]; then
        docker stop -t 60 "$(mt_container "$1")" >/dev/null
    elif pid=$(mt_pid "$1"); then
        kill -TERM "$pid"
        mt_wait_gone "$1" 60 || die "$1 (pid $pid) does not stop"
    fi
}

mt_kill() {
    if [ "$way" = docker ]; then
        docker kill -s KILL "$(mt_container "$1")" >/dev/null
    elif pid=$(mt_pid "$1"); then
        kill -KILL "$pid"
        mt_wait_gone "$1" 10 || die "$1 (pid $pid) does not die"
    fi
}

# The mysql client as root on one server; arguments as for mysql.
mt_mysql() {
    role=$1 && shift
    export MYSQL_PWD=$MT_ROOT_PASSWORD
    if [ "$way" = docker ]; then
        tty=
        [ ! -t 0 ] || [ ! -t 1 ] || tty=-t
        docker exec -i $tty -e MYSQL_PWD "$(mt_container "$role")" mysql --default-character-set=utf8mb4 --loose-commands -uroot "$@"
    else
        mysql --no-defaults --default-character-set=utf8mb4 --loose-commands -uroot --socket="$MT_RUN/$role/sock" "$@"
    fi
}

mt_on_each() { # function role…: at once, all must succeed
    f=$1 && shift
    pids=
    for r in "$@"; do
        "$f" "$r" &
        pids="$pids $!"
    done
    ok=0
    for p in $pids; do wait "$p" || ok=1; done
    return $ok
}

mt_section() { # file section: its statements
    awk -v s="[$2]" '/^-- \[/ { on = ($2 == s) } on && !/^--/' "$1"
}

mt_grants() { # source|target
    echo "CREATE USER IF NOT EXISTS 'mover'@'%' IDENTIFIED BY 'mover';"
    mt_section "$MT_HERE/grants.sql" "$1" | while IFS= read -r line; do
        case $line in
        *'{schema}'*)
            # Not in a for: * must stay what it is.
            mt_conf schemas | tr , '\n' | while IFS= read -r s; do
                [ "$s" = '*' ] || s="\`$s\`"
                printf '%s\n' "${line%%'{schema}'*}$s${line#*'{schema}'}"
            done
            ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

# Everything that is not the server's own goes; then the seed.
mt_drop_schemas() {
    mt_mysql "$1" -N -e "SELECT CONCAT('DROP DATABASE \`', REPLACE(schema_name, '\`', '\`\`'), '\`;') FROM information_schema.schemata
        WHERE schema_name NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema')" |
        { echo 'SET foreign_key_checks = 0;'; cat; } | mt_mysql "$1"
}

mt_seed() {
    rows=$(mt_conf rows)
    echo 'CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;' | mt_mysql target-primary
    {
        mt_section "$MT_HERE/seed.sql" schema
        echo 'USE shop;'
        echo 'SET SESSION cte_max_recursion_depth = 1000000000;'
        from=1
        while [ "$from" -le "$rows" ]; do
            to=$((from + 49999))
            [ "$to" -le "$rows" ] || to=$rows
            mt_section "$MT_HERE/seed.sql" rows | sed "s/{from}/$from/g; s/{to}/$to/g"
            from=$((to + 1))
        done
        echo 'ANALYZE TABLE shop.customers, shop.orders, shop.items;'
    } | mt_mysql source-primary >/dev/null
}

# Until the replicas have what their primaries have.
mt_wait_replicas() {
    for side in source target; do
        set_=$(mt_mysql $side-primary -N -e 'SELECT @@GLOBAL.gtid_executed' | tr -d '\n\\n')
        ok=$(mt_mysql $side-replica -N -e "SELECT WAIT_FOR_EXECUTED_GTID_SET('$set_', 60)")
        [ "$ok" = 0 ] || {
            mt_mysql $side-replica -E -e 'SHOW REPLICA STATUS' | grep -E 'Running|Error' >&2 || :
            die "the $side replica does not follow"
        }
    done
}

mt_yaml() {
    cat <<END
# A move of the seeded tables between the local clusters; MOVE is any name.
move: local
source:
  host: 127.0.0.1
  port: $(mt_port source-primary)
  user: mover
  password: mover
target:
  host: 127.0.0.1
  port: $(mt_port target-primary)
  user: mover
  password: mover
tables:
  - shop.orders
  - shop.items
  - shop.customers
END
}
