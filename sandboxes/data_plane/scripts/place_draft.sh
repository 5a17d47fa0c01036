# Put DRAFT in the place of TARGET, if that is what EXPECTED says; see drafts.place.
trap 'rm -f -- "$DRAFT" "$BESIDE"' EXIT
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
if [ -e "$TARGET" ]; then
  [ -f "$TARGET" ] || exit 14
  [ "$EXPECTED" != nothing ] || exit 11
  [ "$EXPECTED" = any ] || [ "=$(version)" = "$EXPECTED" ] || exit 12
  [ -w "$TARGET" ] || exit 16
  owner=$(field %u:%g "$TARGET")
  if [ "$(field %d "$DRAFT")" != "$(field %d "$TARGET")" ]; then
    BESIDE=$FOLDER${DRAFT##*/}
    cp -- "$DRAFT" "$BESIDE" || exit 1
    rm -f -- "$DRAFT"; DRAFT=$BESIDE
  fi
  chown "$owner" -- "$DRAFT" 2>/dev/null
  chmod "$(field %a "$TARGET")" -- "$DRAFT" || exit 1
  sync -- "$DRAFT" 2>/dev/null
  if [ "$(field %h "$TARGET")" = 1 ] && [ "$(field %u:%g "$DRAFT")" = "$owner" ]
  then mv -f -- "$DRAFT" "$TARGET"; else overwrite; fi
else
  [ "$EXPECTED" = any ] || [ "$EXPECTED" = nothing ] || exit 12
  sync -- "$DRAFT" 2>/dev/null
  # Unlike a rename, a link takes no other file's place.
  if ! ln -- "$DRAFT" "$TARGET" 2>/dev/null; then
    [ ! -e "$TARGET" ] || exit 11
    mv -f -- "$DRAFT" "$TARGET"
  fi
fi || exit 1
find "$FOLDER" -maxdepth 1 -name '.manta-draft-*' -mmin +60 -exec rm -f {} + >/dev/null 2>&1 &
