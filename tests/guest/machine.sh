# An emulated machine with Debian's kernel, put together from what the host has: sourced by what runs in it.
#
# Needs Debian's packages qemu-system-x86 busybox-static cpio kmod iproute2 python3; no KVM. Kernel and image are kept
# in the target folder. Sets `target`, `work` and `root`, the folder that becomes the machine's file system.

target=${CARGO_TARGET_DIR:-$PWD/target}
work=$target/guest
root=$work/root
mkdir -p "$work"

# Kernel and modules, from the package that Debian's meta package names: sets `kernel` and `release`.
fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')
    kernel=$work/$package
    release=${package#linux-image-}
    [[ ! -d "$kernel" ]] || return 0
    (cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package")
    rm -rf "$kernel.part"
    dpkg-deb -x "$work/$package"_*.deb "$kernel.part"
    depmod -b "$kernel.part" "$release"
    mv "$kernel.part" "$kernel"
}

# The test programs of these names, as cargo builds them now: with all other tests, for on their own they would be
# built with other features of other crates, and so a second time.
test_programs() {
    cargo test --locked --workspace --no-run --message-format=json 2>/dev/null |
        python3 -c '
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["profile"]["test"] and message["target"]["name"] in sys.argv[1:]:
        print(message["executable"])' "$@"
}

# An empty file system with a shell.
begin_root() {
    rm -rf "$root"
    mkdir -p "$root"/{bin,sbin,proc,sys,dev,tmp,etc,modules}
    cp /bin/busybox "$root/bin/"
    # A shell that asks the path: busybox's prefers its own `ip`, which is another.
    cp "$(readlink -f /bin/sh)" "$root/sbin/sh"
}

# The libraries of these programs, where the programs look for them.
add_libraries() {
    local program library
    for program; do
        # One that stands alone has none, which is no failure.
        { ldd "$program" 2>/dev/null | grep -o '/[^ ]*\.so[^ ]*' || true; } | while read -r library; do
            mkdir -p "$root${library%/*}"
            cp -n "$library" "$root$library"
        done
    done
}

# Modules of the kernel, numbered in the order in which they can be loaded.
add_modules() {
    local module file name number
    for module; do
        # What a module needs is listed behind it and loaded before; several may need the same.
        sed -n "s|^\([^:]*/$module\.ko[^:]*\): *\(.*\)|\1 \2|p" "$kernel/lib/modules/$release/modules.dep" |
            tr ' ' '\n' | grep . | tac | while read -r file; do
                name=$(basename "$file")
                compgen -G "$root/modules/*-$name" >/dev/null && continue
                number=$(find "$root/modules" -type f | wc -l)
                cp "$kernel/lib/modules/$release/$file" "$root/modules/$(printf %02d "$number")-$name"
            done
    done
}

# Runs the file system as a machine for at most so many seconds: `boot SECONDS MEMORY-IN-MIB KERNEL-PARAMETER...`. What
# it prints is kept in `$work/console` as well.
boot() {
    local seconds=$1 memory=$2
    shift 2
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/image"
    timeout "$seconds" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
        -accel tcg,thread=multi -cpu max -smp 2 -m "$memory" \
        -kernel "$kernel/boot/vmlinuz-$release" -initrd "$work/image" -serial stdio -append \
        "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable no_timer_check random.trust_cpu=on $*" \
        </dev/null | sed -u 's|\r||g' | tee "$work/console"
}
