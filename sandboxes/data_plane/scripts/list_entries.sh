# Tell a folder's entries, some at a time, as base64.
# D or F for a link to a folder or to something else, d or f for what is no link; then the name and,
# where it is wanted, a link's target, each ended by a NUL.
# For any POSIX shell, with coreutils or busybox.
cd -- "$FOLDER" || exit
count=0
for name in * .[!.]* ..?*; do
  if [ -L "$name" ]; then kind=F; [ -d "$name" ] && kind=D
  elif [ "$LINKS_ONLY" ] || [ ! -e "$name" ]; then continue
  else kind=f; [ -d "$name" ] && kind=d; fi
  count=$((count + 1))
  [ "$count" -le "$SKIPPED" ] && continue
  [ "$count" -gt "$((SKIPPED + TAKEN))" ] && break
  printf '%s%s\0' "$kind" "$name"
  [ "$TARGETS" ] && [ -L "$name" ] && { readlink -n -- "$name"; printf '\0'; }
done | base64
