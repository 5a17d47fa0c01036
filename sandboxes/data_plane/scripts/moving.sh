# What move.sh and trash.sh begin with: SOURCE in PARENT is there, and can be moved.
# For any POSIX shell, with coreutils or busybox.
# Exit statuses from 10 on are these scripts' own; anything else is the system's refusal.
there() { [ -e "$1" ] || [ -L "$1" ]; }
there "$SOURCE" || ls -d -- "$SOURCE" >/dev/null || exit 10
# What can't be taken from its folder would be copied to another file system all the same.
[ -w "$PARENT" ] || exit 13
# A folder that came with the image is not renamed but copied and deleted. Of one in which somebody
# else's can't be deleted from, a part would be left: that is told before anything is done.
is_folder() { [ -d "$1" ] && [ ! -L "$1" ]; }
# shellcheck disable=SC2016 # for another shell
closed='for each; do [ -w "$each" ] || [ -O "$each" ] || echo .; done'
if is_folder "$SOURCE"; then
  [ -z "$(find "$SOURCE" -type d -exec sh -c "$closed" sh {} + 2>/dev/null)" ] || exit 13
fi
count() { find "$1" 2>/dev/null | wc -l; }
# Rename. Where that was a copy for which there was no room, nothing of the copy stays.
renamed() {
  if ! is_folder "$1" || there "$2"; then mv -f -- "$1" "$2"; return; fi
  had=$(count "$1")
  mv -f -- "$1" "$2" && return
  if [ "$(count "$1")" = "$had" ]; then rm -rf -- "$2"; fi
  return 1
}
# Somebody else may have moved it meanwhile: then it is not the folder that is missing.
give_up() { there "$SOURCE" || exit 10; exit 1; }
device() { stat -c %d -- "$1" 2>/dev/null; }
# To another file system mv removes what is there before it copies.
place() {
  if [ "$(device "$1")" = "$(device "${2%/*}/")" ]; then renamed "$1" "$2"; return; fi
  if ! cp -a -- "$1" "$DRAFT" || ! mv -f -- "$DRAFT" "$2"; then
    rm -rf -- "$DRAFT" 2>/dev/null
    return 1
  fi
  rm -rf -- "$1"
}
# A folder that its owner may not write to can only be moved elsewhere while they may.
moved() {
  mode=
  if is_folder "$1" && [ ! -w "$1" ]; then
    mode=$(stat -c %a -- "$1") && chmod u+w -- "$1" || mode=
  fi
  place "$1" "$2"; result=$?
  if [ "$mode" ]; then
    if [ $result = 0 ]; then chmod "$mode" -- "$2"; else chmod "$mode" -- "$1"; fi
  fi
  return $result
}
