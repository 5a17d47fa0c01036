# What move.sh and trash.sh begin with: SOURCE in PARENT is there, and can be moved.
# For any POSIX shell, with coreutils or busybox.
# Exit statuses from 10 on are these scripts' own; anything else is the system's refusal.
there() { [ -e "$1" ] || [ -L "$1" ]; }
there "$SOURCE" || ls -d -- "$SOURCE" >/dev/null || exit 10
# What can't be taken from its folder would be copied to another file system all the same.
[ -w "$PARENT" ] || exit 13
device() { stat -c %d -- "$1" 2>/dev/null; }
# To another file system mv removes what is there before it copies.
place() {
  if [ "$(device "$1")" = "$(device "${2%/*}/")" ]; then mv -f -- "$1" "$2"; return; fi
  if ! cp -a -- "$1" "$DRAFT" || ! mv -f -- "$DRAFT" "$2"; then
    rm -rf -- "$DRAFT" 2>/dev/null
    return 1
  fi
  rm -rf -- "$1"
}
# A folder that its owner may not write to can only be moved elsewhere while they may.
moved() {
  mode=
  if [ -d "$1" ] && [ ! -L "$1" ] && [ ! -w "$1" ]; then
    mode=$(stat -c %a -- "$1") && chmod u+w -- "$1" || mode=
  fi
  place "$1" "$2"; result=$?
  if [ "$mode" ]; then
    if [ $result = 0 ]; then chmod "$mode" -- "$2"; else chmod "$mode" -- "$1"; fi
  fi
  return $result
}
