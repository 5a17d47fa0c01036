# What runs and listens in this sandbox: said when it changes, and at least every 30 s.
# With the argument "once": now, and no more.
# For any POSIX shell, busybox's too; a look forks twice, and only saying something forks more.
LC_ALL=C
once=${1-}
newline='
'
read -r up rest </proc/uptime
ends=$((${up%.*} + 1800)) said='' spent=0 at=0
page=$(getconf PAGESIZE 2>/dev/null || echo 4096)
while read -r up rest </proc/uptime && [ "${up%.*}" -lt "$ends" ]; do
  rows='' shape='' total=0
  for folder in /proc/[0-9]*; do
    { read -r line <"$folder/stat"; } 2>/dev/null || continue
    pid=${folder#/proc/}
    [ "$pid" = "$$" ] && continue
    name=${line#*\(}
    name=${name%\)*}
    # shellcheck disable=SC2086 # its fields
    set -- ${line##*\) }
    [ "$1" = Z ] && continue
    ticks=$((${12} + ${13}))
    total=$((total + ticks))
    rows="${rows}p $pid $2 $3 $4 $5 $ticks ${20} ${22} $name$newline"
    shape="$shape$pid $3 ${20} $((${22} / 1024)) $name$newline"
  done
  listens=''
  while read -r _ address _ _ _ _ _ _ _ inode _; do
    [ -n "$inode" ] && listens="${listens}l $address $inode$newline"
  done <<END
$(grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
END
  busy=$((total - spent))
  if [ "$shape$listens" != "$said" ] || [ "${busy#-}" -ge 4 ] || [ "${up%.*}" -ge "$((at + 30))" ]; then
    echo "@ $up $$ $PPID $page"
    printf '%s' "$rows$listens"
    # shellcheck disable=SC2012 # busybox's find does not show where a link leads
    [ -n "$listens" ] && ls -l /proc/[0-9]*/fd 2>/dev/null |
      sed -n 's,^/proc/\([0-9]*\)/fd:$,f \1,p;s,.*socket:\[\([0-9]*\)\]$,s \1,p'
    head -c 400 /proc/[0-9]*/cmdline /dev/null 2>/dev/null | tr '\0' ' ' |
      sed -n 's,^==> /proc/\([0-9]*\)/cmdline <==$,d \1,p;t;s,^,c ,p'
    echo .
    [ "$once" ] && break
    said=$shape$listens spent=$total at=${up%.*}
  fi
  sleep 2
done
