# Put DRAFT in the place of TARGET, if that is what EXPECTED says; see drafts.place.
# For any POSIX shell, with coreutils or busybox.
trap 'rm -f -- "$DRAFT" "$BESIDE"' EXIT
drafts=${DRAFT%/*}/
if [ -L "$TARGET" ]; then
  TARGET=$(readlink -f -- "$TARGET" && echo .) || exit 15
  TARGET=${TARGET%??}
fi
FOLDER=${TARGET%/*}/
field() { stat -c "$1" -- "$2"; }
version() {
  if [ "$(field %s "$TARGET")" -gt "$MOST" ]; then field %s-%Y "$TARGET"
  else sha256sum < "$TARGET" | cut -c 1-32; fi
}
# One writer after another. Nothing is made for it, and it ends with this shell, however that ends.
lock() {
  if [ -r "$FOLDER" ]; then exec 9< "$FOLDER"
  elif [ -f "$TARGET" ] && [ -r "$TARGET" ]; then exec 9< "$TARGET"
  else return; fi
  # Without locks in the file system, or without the program, it is as well as can be.
  flock 9 2>/dev/null
}
# Give the draft all that belongs to the file; false where the file can't be another one.
prepare() {
  [ -w "$FOLDER" ] && [ "$(field %h "$TARGET")" = 1 ] || return 1
  if [ "$(field %d "$DRAFT")" != "$(field %d "$TARGET")" ]; then
    BESIDE=$FOLDER${DRAFT##*/}
    cp -- "$DRAFT" "$BESIDE" || exit 1
    rm -f -- "$DRAFT"; DRAFT=$BESIDE
  fi
  owner=$(field %u:%g "$TARGET")
  chown "$owner" -- "$DRAFT" 2>/dev/null
  [ "$(field %u:%g "$DRAFT")" = "$owner" ] || return 1
  chmod "$(field %a "$TARGET")" -- "$DRAFT" || exit 1
  sync -- "$DRAFT" 2>/dev/null
}
replace() { mv -f -- "$DRAFT" "$TARGET"; }
overwrite() {
  old=$(field %s "$TARGET") new=$(field %s "$DRAFT")
  # The end first: it takes the room that is needed, and can be taken back.
  if [ "$new" -gt "$old" ]; then
    if ! tail -c +"$((old + 1))" -- "$DRAFT" >> "$TARGET"; then
      truncate -s "$old" -- "$TARGET"
      return 1
    fi
  fi
  cat -- "$DRAFT" 1<> "$TARGET" && truncate -s "$new" -- "$TARGET"
}
[ ! -d "$TARGET" ] || exit 13
lock
if [ -e "$TARGET" ]; then
  [ -f "$TARGET" ] || exit 14
  [ "$EXPECTED" != nothing ] || exit 11
  if prepare; then put=replace; else put=overwrite; fi
  # Last, so that as little as can be comes between the comparison and the change: not every program
  # waits for the lock.
  [ "$EXPECTED" = any ] || [ "=$(version)" = "$EXPECTED" ] || exit 12
  [ -w "$TARGET" ] || exit 16
  $put
else
  [ "$EXPECTED" = any ] || [ "$EXPECTED" = nothing ] || exit 12
  [ -w "$FOLDER" ] || exit 16
  sync -- "$DRAFT" 2>/dev/null
  # Unlike a rename, a link takes no other file's place.
  if ! ln -- "$DRAFT" "$TARGET" 2>/dev/null; then
    [ ! -e "$TARGET" ] || exit 11
    mv -f -- "$DRAFT" "$TARGET"
  fi
fi || exit 1
find "$FOLDER" "$drafts" -maxdepth 1 -name '.manta-draft-*' -mmin +60 -exec rm -f {} + \
  >/dev/null 2>&1 9<&- &
