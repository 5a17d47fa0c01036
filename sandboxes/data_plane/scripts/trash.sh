# Move SOURCE into TRASH, or BESIDE it where that is another file system. Follows moving.sh.
mkdir -p -- "$TRASH" || exit 1
if [ "$(device "$PARENT")" != "$(device "$TRASH")" ]; then TRASH=$BESIDE; printf beside; fi
mkdir -p -- "$TRASH/$ID" || exit 1
# shellcheck disable=SC2034 # moving.sh uses it
DRAFT=$TRASH/$ID/draft
moved "$SOURCE" "$TRASH/$ID/item" || { rmdir -- "$TRASH/$ID"; give_up; }
{
  find "$TRASH" -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec chmod -R u+rwX {} +
  find "$TRASH" -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} +
} >/dev/null 2>&1 &
