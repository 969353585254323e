#!/bin/sh
# Applies patches from standard input to a tree of links: what they touch is made real before.
set -eu
cd "$1"
cat > .patches
sed -n 's/^+++ [^/]*\/\([^ 	]*\).*/\1/p' .patches | while read -r file; do
    below=
    for part in $(echo "$file" | tr / ' '); do
        path=$below$part
        if test -h "$path" && test -d "$path"; then
            from=$(readlink -f "$path")
            rm "$path" && mkdir "$path" && (cd "$path" && ln -s "$from"/* .)
        elif test -h "$path"; then
            from=$(readlink -f "$path")
            rm "$path" && cp "$from" "$path"
        fi
        below=$path/
    done
done
patch -p1 < .patches
rm .patches
