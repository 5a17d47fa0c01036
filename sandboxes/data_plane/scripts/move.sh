# Move SOURCE to TARGET. Follows moving.sh.
if there "$TARGET"; then
  if [ -d "$TARGET" ] || [ -z "$OVERWRITE" ]; then exit 11; fi
fi
if [ "$FOLDERS" ]; then mkdir -p -- "${TARGET%/*}/" || exit 1; fi
moved "$SOURCE" "$TARGET" || give_up
