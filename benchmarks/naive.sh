#!/bin/sh
# One toolchain as people build it by hand: one step after the other on all cores, GCC's own programs
# at -O2, gmp, mpfr and mpc in GCC's tree.
#
# naive.sh FOLDER JOBS TRIPLE [GCC OPTIONS]; FOLDER/sources holds binutils, gcc and musl, unpacked, and
# FOLDER/headers/TRIPLE the kernel's headers.
set -eu
folder=$1 jobs=$2 triple=$3
shift 3
sources=$folder/sources
work=$folder/$triple
out=$work/out
sysroot=$out/$triple
export PATH="$out/bin:$PATH"
export MAKEFLAGS="-j$jobs" CFLAGS=-O2 CXXFLAGS=-O2 CFLAGS_FOR_TARGET=-O2 CXXFLAGS_FOR_TARGET=-O2
mkdir -p "$work/binutils" "$work/gcc" "$work/musl" "$sysroot"
cp -R "$folder/headers/$triple/include" "$sysroot/include"
chmod -R u+w "$sysroot/include"
ln -s . "$sysroot/usr"
ln -s lib "$sysroot/lib64"

cd "$work/binutils"
"$sources/binutils/configure" --prefix="$out" --target="$triple" --with-sysroot="$sysroot" \
    --disable-gdb --disable-gprofng --disable-multilib --disable-nls --disable-werror
make MAKEINFO=true
make MAKEINFO=true install

cd "$work/gcc"
"$sources/gcc/configure" --prefix="$out" --libdir="$out/lib" --target="$triple" \
    --with-sysroot="$sysroot" --enable-languages=c,c++ --disable-bootstrap \
    --disable-gnu-indirect-function --disable-libgomp --disable-libitm --disable-libquadmath \
    --disable-libsanitizer --disable-libssp --disable-libvtv --disable-multilib --disable-nls \
    --disable-werror --enable-default-pie --enable-libstdcxx-time --enable-tls --without-isl \
    --without-zstd "$@"
make MAKEINFO=true configure-gcc
touch -d 2100-01-01 gcc/s-tm-texi # Debian's tarball has no manual to compare it with
make MAKEINFO=true all-gcc

cd "$work/musl"
"$sources/musl/configure" --host="$triple" --prefix= CROSS_COMPILE="$triple-" \
    CC="$work/gcc/gcc/xgcc -B$work/gcc/gcc" LIBCC="$work/gcc/$triple/libgcc/libgcc.a"
make DESTDIR="$sysroot" install-headers
make -C "$work/gcc" MAKEINFO=true enable_shared=no all-target-libgcc
make
make DESTDIR="$sysroot" install

cd "$work/gcc"
make -C "$triple/libgcc" enable_shared=yes
make MAKEINFO=true BUILD_INFO=
make MAKEINFO=true BUILD_INFO= install
make -C "$triple/libgcc" enable_shared=yes install # libgcc_eh.a, which every static C++ program wants
