# Find the terminal by its size, which was set to one that no other has, and hang up its shell,
# as a terminal does that is closed. Or say what runs in its foreground, unless it may be ended.
# For any POSIX shell, with coreutils or busybox.
find_leader() {
  for tty in /dev/pts/[0-9]*; do
    [ "$(stty size <"$tty" 2>/dev/null)" = "$ROWS $COLS" ] || continue
    for stat in /proc/[0-9]*/stat; do
      pid=${stat#/proc/} pid=${pid%/stat}
      { read -r line <"$stat"; } 2>/dev/null || continue
      # shellcheck disable=SC2086 # its fields
      set -- ${line##*) }
      [ "$4" = "$pid" ] && [ "$5" = "$((34816 + ${tty#/dev/pts/}))" ] && foreground=$6 && return
    done
  done
  return 1
}
tries=0
until find_leader; do
  tries=$((tries + 1)); [ $tries -lt 20 ] || exit 0
  sleep 0.1
done
if [ -z "$FORCE" ] && [ "$foreground" != "$pid" ]; then cat /proc/"$foreground"/comm; exit 0; fi
kill -HUP "$pid"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -d "/proc/$pid" ] || exit 0; sleep 0.1; done
kill -KILL "-$foreground"
kill -KILL "$pid"
