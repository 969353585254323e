#!/bin/sh
# One toolchain as it is built by hand: everything in its turn, GCC's own programs at -O2, its
# arithmetic libraries in its tree. naive.sh FOLDER TRIPLE KERNEL-ARCH [GCC OPTIONS]; in FOLDER/sources lie
# the unpacked binutils, gcc (with gmp, mpfr and mpc inside), musl and the kernel's headers.
set -eu
folder=$1 triple=$2 shift=3
shift 2
sources=$folder/sources
work=$folder/$triple
out=$work/out
export PATH="$out/bin:$PATH"
jobs=$(nproc)
quiet="MAKEINFO=true"
mkdir -p "$work/binutils" "$work/gcc" "$work/musl" "$out/$triple"
cp -R "$sources/headers/$triple/include" "$out/$triple/"
ln -s . "$out/$triple/usr"
ln -s lib "$out/$triple/lib64"

cd "$work/binutils"
"$sources/binutils/configure" --prefix="$out" --target="$triple" --with-sysroot="$out/$triple" \
    --disable-multilib --disable-werror --disable-nls --disable-gdb --disable-gprofng
make -j"$jobs" $quiet
make $quiet install

cd "$work/gcc"
"$sources/gcc/configure" --prefix="$out" --target="$triple" --with-sysroot="$out/$triple" \
    --enable-languages=c,c++ --disable-bootstrap --disable-multilib --disable-werror --disable-nls \
    --disable-libsanitizer --disable-libssp --disable-gnu-indirect-function --enable-tls \
    --enable-libstdcxx-time --enable-default-pie "$@"
make -j"$jobs" $quiet configure-gcc
touch -d 2100-01-01 gcc/s-tm-texi # Debian's tarball has no manual to compare it with
make -j"$jobs" $quiet all-gcc
