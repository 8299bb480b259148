"""A tree of files that shows what a copy may lose, as a student's machine sees it; and how to look at it."""

MAKE = """
set -e
cd /home/student
mkdir -p thesis/deep
head -c 3000000 /dev/urandom > thesis/data
printf 'one\\n' > 'thesis/deep/a name with spaces äöü'
ln -s ../thesis/data thesis/link
ln -s /nowhere thesis/dangling
ln thesis/data thesis/hard
: > thesis/empty
chown 1000:1000 thesis/data && chmod 4750 thesis/data
chown 1001:1002 thesis/deep && chmod 2700 thesis/deep
# LXD's archives round times to whole seconds.
find . -mindepth 1 -exec touch -h -d '2026-01-02 03:04:05' {} +
"""
# The time of the top folder is that of the restoration; everything below it keeps its own.
LOOK = """
set -e
cd /home/student && stat -c '%f %u %g' . && find . -mindepth 1 | sort | while read -r name; do
  echo "$name $(stat -c '%f %u %g %s %Y %h' "$name") $(readlink "$name" || true)"
done
find . -type f -exec sha256sum {} + | sort -k 2
"""
