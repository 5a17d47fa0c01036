# What move.sh and trash.sh begin with: SOURCE in PARENT is there, and can be moved.
# For any POSIX shell, with coreutils or busybox.
# Exit statuses from 10 on are these scripts' own; anything else is the system's refusal.
there() { [ -e "$1" ] || [ -L "$1" ]; }
there "$SOURCE" || ls -d -- "$SOURCE" >/dev/null || exit 10
# What can't be taken from its folder would be copied to another file system all the same.
[ -w "$PARENT" ] || exit 13
is_folder() { [ -d "$1" ] && [ ! -L "$1" ]; }
# Of a folder in which somebody else's can't be deleted from, a copy would leave a part behind.
# shellcheck disable=SC2016 # for another shell
closed='for each; do [ -w "$each" ] || [ -O "$each" ] || echo .; done'
is_deletable() { [ -z "$(find "$1" -type d -exec sh -c "$closed" sh {} + 2>/dev/null)" ]; }
count() { find "$1" 2>/dev/null | wc -l; }
# Move, but never into a folder that has just been made at the target: old busybox has no -T.
onto() {
  case $(mv --help 2>&1) in
    *[n-]T[],]*) mv -fT -- "$1" "$2" ;;
    *) [ ! -d "$2" ] && mv -f -- "$1" "$2" ;;
  esac
}
# Rename or fail: mv itself, but for that of new coreutils, copies what can't be renamed.
only_rename() {
  mv --no-copy -fT -- "$1" "$2" 2>/dev/null ||
    perl -e 'exit !rename $ARGV[0], $ARGV[1]' "$1" "$2" 2>/dev/null
}
# A folder that came with the image is not renamed but copied and deleted. It becomes DRAFT first:
# where there was no room for all of it, what is removed is certainly the copy.
renamed() {
  if ! is_folder "$1"; then onto "$1" "$2"; return; fi
  only_rename "$1" "$2" && return
  if there "$2"; then onto "$1" "$2"; return; fi
  is_deletable "$1" || return 13
  had=$(count "$1")
  if onto "$1" "$DRAFT"; then
    onto "$DRAFT" "$2" && return
    onto "$DRAFT" "$1"
  elif [ "$(count "$1")" = "$had" ]; then
    rm -rf -- "$DRAFT"
  fi
  return 1
}
# Somebody else may have moved it meanwhile: then it is not the folder that is missing.
give_up() { there "$SOURCE" || exit 10; exit "$result"; }
device() { stat -c %d -- "$1" 2>/dev/null; }
# To another file system mv removes what is there before it copies.
place() {
  if [ "$(device "$1")" = "$(device "${2%/*}/")" ]; then renamed "$1" "$2"; return; fi
  is_deletable "$1" || return 13
  if ! cp -a -- "$1" "$DRAFT" || ! onto "$DRAFT" "$2"; then
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
