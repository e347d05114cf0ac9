# What is tried in the machine of `services`: a host `far` behind a wire, our units on both of its ends.
#
# One trial after the other, each a function whose commands must all succeed; what one has set up the next goes on with.
set -uo pipefail
export PATH=/sbin:/bin:/usr/bin

readonly NEAR=192.0.2.1 FAR=192.0.2.2
# Where files are put by.
readonly KEPT=/run/kept
readonly SENDER=http://127.0.0.1:9862

# --- means ----------------------------------------------------------------------------------------

status=0

# Runs a function, and says how it went in the words of a Rust test.
trial() {
    local name="services::$1" log="$KEPT/log"
    # Not in a condition, where `set -e` would not hold.
    (set -ex; "$1") >"$log" 2>&1
    if (($? == 0)); then
        echo "test $name ... ok"
    else
        echo "test $name ... FAILED"
        # Without the pages that series were looked for in.
        grep -Ev '^(# |stamp_|process_)' "$log"
        wget -q -O - "$SENDER/api/v1/sessions" | tail -c 600
        journalctl --no-pager --output=short-monotonic --lines=40
        status=1
    fi
}

# Leaves the unit with more words: `drop_in UNIT NAME LINE...`.
drop_in() {
    local folder="/etc/systemd/system/$1.d" name=$2
    shift 2
    mkdir -p "$folder"
    { echo '[Service]'; printf '%s\n' "$@"; } >"$folder/$name.conf"
    systemctl daemon-reload
}

property() {
    systemctl show --property="$2" --value "$1"
}

# Waits until a command succeeds, however slow the machine is.
await() {
    local left=60
    until "$@" >/dev/null 2>&1; do
        ((left -= 1)) || return 1
        sleep 0.2
    done
}

# The value of a series of the sender.
metric() {
    local page
    page=$(wget -q -O - "$SENDER/metrics")
    awk -v name="$1" '$1 == name { print $2; found = 1 } END { exit !found }' <<<"$page"
}

has_value() {
    [[ "$(metric "$1")" == "$2" ]]
}

is_more() {
    (($(metric "$1") > $2))
}

# A line of /proc/PID/status of a unit's main process.
of_process() {
    sed -n "s/^$2:[[:space:]]*//p" "/proc/$(property "$1" MainPID)/status"
}

# The main process, and all that it started, are somebody else's and can gain nothing.
has_no_right() {
    local unit=$1
    [[ "$(of_process "$unit" Uid)" != 0* ]]
    [[ "$(of_process "$unit" CapEff)" == 0000000000000000 ]]
    [[ "$(of_process "$unit" CapPrm)" == 0000000000000000 ]]
    [[ "$(of_process "$unit" NoNewPrivs)" == 1 ]]
    [[ "$(of_process "$unit" Seccomp)" == 2 ]]
}

session() {
    printf '[[session]]\nname = "%s"\ntarget = "%s"\nprofile = "quick"\n' "$@"
}

is_active() {
    [[ "$(property "$1" ActiveState)" == active ]]
}

# --- trials ---------------------------------------------------------------------------------------

a_package_starts_nothing() {
    local package
    for package in stamp-sender stamp-reflector; do
        "/tests/$package/postinst" configure
        if is_active "$package"; then return 1; fi
        if systemctl is-enabled "$package"; then return 1; fi
    done
}

both_start_and_measure() {
    systemctl start stamp-reflector stamp-sender
    # Both have said that they are ready, or the line before would still wait.
    [[ "$(property stamp-reflector SubState)" == running ]]
    [[ "$(property stamp-sender SubState)" == running ]]
    await has_value 'stamp_session_up{session="near-far"}' 1
}

they_have_given_their_rights_away() {
    has_no_right stamp-reflector
    has_no_right stamp-sender
    local layer
    for layer in capabilities landlock seccomp; do has_value "stamp_sandbox_layer{layer=\"$layer\"}" 1; done
}

what_they_say_is_in_the_journal() {
    journalctl --unit=stamp-sender --output=cat --no-pager | grep 'sandbox:'
    journalctl --unit=stamp-reflector --output=cat --no-pager | grep 'listen'
}

a_reload_adds_a_session() {
    local before
    before=$(metric 'stamp_session_packets_sent_total{session="near-far"}')
    session second "$FAR" >>/etc/stamp/sender.toml
    systemctl reload stamp-sender
    await has_value 'stamp_session_up{session="second"}' 1
    # The other went on.
    is_more 'stamp_session_packets_sent_total{session="near-far"}' "$before"
    has_value 'stamp_session_packets_lost_total{session="near-far",direction="round_trip"}' 0
}

a_mistake_leaves_what_runs() {
    cp /etc/stamp/sender.toml "$KEPT"/good.toml
    printf 'interva = "1s"\n' >>/etc/stamp/sender.toml
    systemctl reload stamp-sender
    await has_value stamp_config_last_reload_successful 0
    has_value 'stamp_session_up{session="second"}' 1
    journalctl --unit=stamp-sender --output=cat --no-pager | grep 'did you mean'
    # Nor does a start run on half of it.
    if systemctl restart stamp-sender; then return 1; fi
    systemctl stop stamp-sender
    cp "$KEPT"/good.toml /etc/stamp/sender.toml
    systemctl reset-failed stamp-sender
    systemctl start stamp-sender
    await has_value 'stamp_session_up{session="second"}' 1
}

a_restarted_reflector_loses_no_probe() {
    local process sent
    process=$(property stamp-reflector MainPID)
    systemctl restart stamp-reflector
    [[ "$(property stamp-reflector MainPID)" != "$process" ]]
    journalctl --unit=stamp-reflector --output=cat --no-pager | grep 'goes on with the sockets passed on'
    sent=$(metric 'stamp_session_packets_sent_total{session="near-far"}')
    await is_more 'stamp_session_packets_received_total{session="near-far"}' "$sent"
    has_value 'stamp_session_packets_lost_total{session="near-far",direction="round_trip"}' 0
    has_value 'stamp_session_up{session="near-far"}' 1
}

a_package_is_upgraded_without_loss() {
    local process sent
    process=$(property stamp-reflector MainPID)
    /tests/stamp-reflector/postinst configure 0.0.1-1
    [[ "$(property stamp-reflector MainPID)" != "$process" ]]
    sent=$(metric 'stamp_session_packets_sent_total{session="near-far"}')
    await is_more 'stamp_session_packets_received_total{session="near-far"}' "$sent"
    has_value 'stamp_session_packets_lost_total{session="near-far",direction="round_trip"}' 0
    process=$(property stamp-sender MainPID)
    /tests/stamp-sender/postinst configure 0.0.1-1
    [[ "$(property stamp-sender MainPID)" != "$process" ]]
    await has_value 'stamp_session_up{session="near-far"}' 1
    # It did not run.
    if is_active stamp-writer; then return 1; fi
}

raw_frames_are_refused_without_the_right() {
    cp /etc/stamp/sender.toml "$KEPT"/good.toml
    session raw 2001:db8::2 >>/etc/stamp/sender.toml
    printf 'segments = ["fc00:0:2::d6"]\nsrv6 = "encap"\n' >>/etc/stamp/sender.toml
    systemctl reload stamp-sender
    await has_value stamp_config_last_reload_successful 0
    has_value 'stamp_session_up{session="second"}' 1
    journalctl --unit=stamp-sender --output=cat --no-pager | grep -i 'CAP_NET_RAW'
}

a_reload_opens_raw_frames_with_it() {
    cp /etc/stamp/sender.toml "$KEPT"/raw.toml
    cp "$KEPT"/good.toml /etc/stamp/sender.toml
    mkdir -p /etc/systemd/system/stamp-sender.service.d
    cp /tests/raw-frames.conf /etc/systemd/system/stamp-sender.service.d/
    systemctl daemon-reload
    systemctl restart stamp-sender
    await has_value 'stamp_session_up{session="second"}' 1
    has_no_right stamp-sender
    cp "$KEPT"/raw.toml /etc/stamp/sender.toml
    systemctl reload stamp-sender
    await has_value 'stamp_session_up{session="raw"}' 1
    has_value stamp_config_last_reload_successful 1
    has_no_right stamp-sender
}

keys_come_as_credentials() {
    cp /etc/stamp/{sender,reflector}.toml "$KEPT"/
    printf '1 %s\n' "$(head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n')" >/etc/stamp/keys
    chmod 600 /etc/stamp/keys
    local unit
    for unit in stamp-sender stamp-reflector; do drop_in "$unit.service" keys LoadCredential=keys:/etc/stamp/keys; done
    printf 'auth = { required = true, key-file = "/run/credentials/stamp-reflector.service/keys" }\n' >>/etc/stamp/reflector.toml
    {
        printf '[profile.quick]\nauth = true\nkey-file = "/run/credentials/stamp-sender.service/keys"\n'
        session sealed "$FAR"
    } >/etc/stamp/sender.toml
    systemctl restart stamp-reflector stamp-sender
    await has_value 'stamp_session_up{session="sealed"}' 1
    cp "$KEPT"/{sender,reflector}.toml /etc/stamp/
    systemctl restart stamp-reflector stamp-sender
}

one_that_hangs_is_replaced() {
    drop_in stamp-sender.service watchdog WatchdogSec=3s RestartSec=0
    systemctl restart stamp-sender
    local process
    process=$(property stamp-sender MainPID)
    kill -STOP "$process"
    is_another() { [[ "$(property stamp-sender NRestarts)" == 1 && "$(property stamp-sender SubState)" == running ]]; }
    await is_another
    [[ "$(property stamp-sender MainPID)" != "$process" ]]
    await has_value 'stamp_session_up{session="near-far"}' 1
}

a_check_feeds_node_exporter() {
    mkdir -p /var/lib/prometheus/node-exporter /etc/systemd/system/stamp-check@.service.d
    chown -R prometheus:prometheus /var/lib/prometheus
    cp /tests/textfile.conf /etc/systemd/system/stamp-check@.service.d/
    printf 'STAMP_CHECK="--warning loss=1%% --critical loss=5%%"\n' >/etc/stamp/check
    systemctl daemon-reload
    systemctl start "stamp-check@$FAR.service"
    grep 'stamp_session_packets_received_total' "/var/lib/prometheus/node-exporter/stamp-$FAR.prom"
    systemctl start "stamp-check@$FAR.timer"
    [[ "$(property "stamp-check@$FAR.timer" ActiveState)" == active ]]
    # A limit that is broken fails the unit.
    systemctl stop stamp-reflector
    if systemctl start "stamp-check@$FAR.service"; then return 1; fi
    [[ "$(property "stamp-check@$FAR.service" ExecMainStatus)" == 2 ]]
    systemctl stop "stamp-check@$FAR.timer"
    systemctl start stamp-reflector
}

a_writer_and_a_chooser_run_too() {
    printf '[[writer]]\nkind = "file"\nfile = "/run/stamp-writer/paths.json"\nclasses = ["gaming"]\n' >/etc/stamp/writer.toml
    cp /tests/three-paths.toml /etc/stamp/
    {
        printf 'topology = "three-paths.toml"\nfrom = "s"\n[select]\nprometheus = "http://127.0.0.1:9090"\n'
        printf '[[policy]]\nname = "to-r"\ncolor = 1\nendpoint = "r"\ncandidate = [{ segments = ["c", "r"] }]\n'
    } >/etc/stamp/select.toml
    systemctl start stamp-writer stamp-select
    [[ "$(of_process stamp-writer Uid)" != 0* ]]
    has_no_right stamp-select
    systemctl stop stamp-writer stamp-select
    [[ "$(property stamp-writer Result)" == success ]]
    [[ "$(property stamp-select Result)" == success ]]
}

a_package_that_goes_stops_and_disables() {
    systemctl enable stamp-sender stamp-reflector "stamp-check@$FAR.timer"
    systemctl start stamp-sender stamp-reflector "stamp-check@$FAR.timer"
    local package unit
    for package in stamp-sender stamp-reflector; do
        "/tests/$package/prerm" upgrade 0.0.1-1
        is_active "$package"
        "/tests/$package/prerm" remove
        "/tests/$package/postrm" remove
    done
    for unit in stamp-sender.service stamp-reflector.service "stamp-check@$FAR.timer"; do
        if is_active "$unit"; then return 1; fi
        if systemctl is-enabled "$unit"; then return 1; fi
    done
    [[ -e /run/private/stamp-writer ]]
    "/tests/stamp-sender/postrm" purge
    [[ ! -e /run/private/stamp-writer && ! -L /run/stamp-writer ]]
}

they_end_when_told() {
    systemctl stop stamp-sender stamp-reflector
    local unit
    for unit in stamp-sender stamp-reflector; do
        [[ "$(property "$unit" Result)" == success ]]
        [[ "$(property "$unit" ExecMainStatus)" == 0 ]]
    done
}

# --- the run --------------------------------------------------------------------------------------

stage() {
    ln -sfn /run /var/run
    ip link set lo up
    ip netns add far
    ip link add to-far type veth peer name to-near netns far
    ip addr add "$NEAR/24" dev to-far
    ip addr add 2001:db8::1/64 dev to-far nodad
    ip link set to-far up
    ip -n far addr add "$FAR/24" dev to-near
    ip -n far addr add 2001:db8::2/64 dev to-near nodad
    ip -n far link set to-near up
    ip -n far link set lo up
    ip netns exec far sysctl -w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.seg6_enabled=1
    ip netns exec far sysctl -w net.ipv6.conf.to-near.seg6_enabled=1
    ip -n far -6 route add fc00:0:2::d6/128 encap seg6local action End.DT6 table 255 dev to-near
    ip -6 route add fc00:0:2::/48 via 2001:db8::2
    drop_in stamp-reflector.service far NetworkNamespacePath=/run/netns/far
    printf 'stateful = true\n' >/etc/stamp/reflector.toml
    {
        # Longer than a restart takes on an emulated processor.
        printf '[profile.quick]\ninterval = "50ms"\ntimeout = "60s"\n'
        session near-far "$FAR"
    } >/etc/stamp/sender.toml
}

mkdir -p "$KEPT"
trial stage
for name in \
    a_package_starts_nothing both_start_and_measure they_have_given_their_rights_away what_they_say_is_in_the_journal \
    a_reload_adds_a_session a_mistake_leaves_what_runs a_restarted_reflector_loses_no_probe \
    a_package_is_upgraded_without_loss raw_frames_are_refused_without_the_right a_reload_opens_raw_frames_with_it \
    keys_come_as_credentials one_that_hangs_is_replaced a_check_feeds_node_exporter a_writer_and_a_chooser_run_too \
    they_end_when_told a_package_that_goes_stops_and_disables; do
    trial "$name"
done
echo "guest status $status"
