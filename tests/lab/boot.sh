#!/bin/bash
# Starts a host: process 1 of its namespaces, in the end runit. The new root, then the network, then the services.
#
#   boot.sh NAME BASE UPPER WORK ROOT BINARIES     a line on standard input says that the cable is in
set -eu
name=$1 base=$2 upper=$3 work=$4 root=$5 binaries=$6

mount -t overlay "disk-$name" -o "lowerdir=$base:/,upperdir=$upper,workdir=$work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755,size=16m dev "$root/dev"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=1777,size=64m shm "$root/dev/shm"
mount -t tmpfs -o mode=755,size=64m run "$root/run"
mkdir -p "$root/run/lock"
mount -t tmpfs -o mode=1777,size=256m tmp "$root/tmp"
mount --bind "$binaries" "$root/opt/reprise/bin"
mount -o remount,bind,ro "$root/opt/reprise/bin"
hostname "$name"
printf '%s\n' "$name" >"$root/etc/hostname"
printf '127.0.0.1 localhost %s\n' "$name" >"$root/etc/hosts"

cd "$root"
pivot_root . .
umount -l .
cd /
read -r _ || exit 1
exec </dev/null
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
  runsvdir -P /etc/service
