# Unpack the file archive into root; the arguments are files of /etc that sandboxes have of their own.
# Run where nothing but the image's own folder is there to be written to, by a user who can make no
# device and no file of another user.
set -e
mkdir root
tar --extract --file=archive --directory=root --no-same-owner \
  --exclude='./dev/*' --exclude='dev/*'
rm archive
chmod -R u+rwX,ug-s root
refuse() { echo "$1" >&2; exit 1; }
[ -e root/bin/sh ] || [ -L root/bin/sh ] || refuse "it has no /bin/sh"
[ ! -L root/etc ] && [ ! -L root/opt ] || refuse "its /etc or /opt is a link"
rm -rf root/opt/local_blaxel
mkdir -p root/etc root/opt/local_blaxel
cd root/etc
rm -rf "$@"
touch "$@"
