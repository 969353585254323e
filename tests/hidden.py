"""Ways to hide an instruction beyond the baseline, in assembler: each program runs into it.

On a processor that has the instruction it ends with 42.
"""

from __future__ import annotations

ARM_HEAD = """\
.syntax unified
.arch armv7-a
.fpu neon
.object_arch armv6
.eabi_attribute 6, 6
.eabi_attribute 9, 1
.eabi_attribute 28, 1
.eabi_attribute 10, 2
.eabi_attribute 12, 0
.text
.globl _start
"""
ARM_HIDDEN = "hidden: .word 0xf2000840, 0xe3a0002a, 0xe3a07001, 0xef000000\n"
"""vadd.i8 q0, q0, q0; mov r0, #42; mov r7, #1; svc #0"""
THUMB_HIDDEN = "hidden: .short 0xef00, 0x0840, 0x202a, 0x2701, 0xdf00\n"
ARM_EXIT = "mov r7, #1\nsvc #0\n"
ARM_WAYS = {
    "the entry point": "_start: " + ARM_HIDDEN,
    "a branch": "_start: b hidden\n" + ARM_HIDDEN,
    "a branch back": ".word 0\n" + ARM_HIDDEN + "_start: b hidden\n",
    "a branch with a condition": "_start: cmp r0, r0\nbeq hidden\n" + ARM_EXIT + ARM_HIDDEN,
    "a call": "_start: bl hidden\n" + ARM_EXIT + ARM_HIDDEN,
    "another section": '_start: b hidden\n.section .more, "ax"\n' + ARM_HIDDEN,
    "a section of data": "_start: b hidden\n.section .rodata\n" + ARM_HIDDEN,
    "what comes next": "_start: mov r1, #1\n" + ARM_HIDDEN,
    "a filling that is led to": "_start: b 1f\n1: nop\n" + ARM_HIDDEN,
    "a filling that comes next": "_start: nop\n" + ARM_HIDDEN,
    "a branch among data": "_start: b 1f\n1: .word 0xea000000, 0\n" + ARM_HIDDEN,
    "a size that is too small": ".type _start, %function\n_start: .word 0xe1a00000\n"
    ".size _start, 4\n" + ARM_HIDDEN,
    "behind the first return": ".type _start, %function\n"
    "_start: .word 0xe3500000, 0x0a000000, 0xe12fff1e\n" + ARM_HIDDEN,
    "behind a call that returns": "_start: bl f\n" + ARM_HIDDEN + "f: bx lr\n",
    "behind a call of what calls": "_start: bl f\n"
    + ARM_HIDDEN
    + "f: push {lr}\nbl g\npop {pc}\ng: mov pc, lr\n",
    "behind a system call": "_start: mov r7, #20\nsvc #0\n" + ARM_HIDDEN,
    "a constant to pc": "_start: ldr pc, 1f\n1: .word hidden\n" + ARM_HIDDEN,
    "a constant in a register": "_start: ldr r3, 1f\nbx r3\n1: .word hidden\n" + ARM_HIDDEN,
    "an address in a register": "_start: adr r3, hidden\nmov r4, #0\nblx r3\n" + ARM_HIDDEN,
    "halves of an address": "_start: .inst 0xe3003000\nldr r3, =hidden\nmov r4, r3\nmov pc, r4\n"
    ".ltorg\n" + ARM_HIDDEN,
    "an addition to pc": "_start: add pc, pc, #4\n" + ARM_EXIT + "nop\n" + ARM_HIDDEN,
    "another state": "_start: .inst 0xfa000000, 0xe1a00000, 0x0840ef00, 0x2701202a, 0x46c0df00\n",
    "another state by a register": "_start: adr r3, hidden + 1\nbx r3\n" + THUMB_HIDDEN,
    "on from one section to the next": "_start: mov r1, #1\nmov r2, #2\n"
    '.section .text.z, "ax"\n' + ARM_HIDDEN,
    "an array of what is called first": "_start: ldr r3, =table\nldr r3, [r3]\nbx r3\n.ltorg\n"
    '.section .init_array, "aw", %init_array\ntable: .word hidden\n.text\n' + ARM_HIDDEN,
}
THUMB_START = ".thumb\n.thumb_func\n_start: "
THUMB_WAYS = {
    "the entry point": ".thumb\n.thumb_func\n.type _start, %function\n_start: "
    + THUMB_HIDDEN.removeprefix("hidden: "),
    "a branch": THUMB_START + "b hidden\n" + THUMB_HIDDEN,
    "a branch with a condition": THUMB_START + "cmp r0, r0\nbeq hidden\nsvc 0\n" + THUMB_HIDDEN,
    "another section": THUMB_START + 'bl hidden\n.section .more, "ax"\n' + THUMB_HIDDEN,
    "what comes next": THUMB_START + "movs r1, #1\n" + THUMB_HIDDEN,
    "a filling that is led to": THUMB_START + "b 1f\n1: nop\n" + THUMB_HIDDEN,
    "behind a call that returns": THUMB_START
    + "bl f\nb 1f\n1: nop\n"
    + THUMB_HIDDEN
    + ".align 2\n.thumb_func\nf: bx lr\n",
    "a constant in a register": THUMB_START
    + "ldr r3, 1f\nbx r3\n.align 2\n1: .word hidden + 1\n"
    + THUMB_HIDDEN,
    "an address in a register": THUMB_START
    + "adr r3, hidden\nadds r3, #1\nbx r3\n.align 2\n"
    + THUMB_HIDDEN,
    "on as ARM": ".align 2\n" + THUMB_START + "bx pc\nnop\n" + ARM_HIDDEN,
    "ARM by a call": ".align 2\n" + THUMB_START + "blx hidden\nsvc 0\n.align 2\n" + ARM_HIDDEN,
}
A64_HEAD = ".arch armv8-a+lse\n.text\n.globl _start\n"
A64_HIDDEN = "hidden: .word 0xb8200020, 0xd2800540, 0xd2800ba8, 0xd4000001\n"
"""ldadd w0, w0, [x1]; mov x0, #42; mov x8, #93; svc #0"""
A64_START = "_start: mov x1, sp\n"
A64_WAYS = {
    "the entry point": "mov x0, x0\n_start: .word 0x910003e1\n" + A64_HIDDEN,
    "a branch": A64_START + "b hidden\n" + A64_HIDDEN,
    "a call": A64_START + "bl hidden\nsvc #0\n" + A64_HIDDEN,
    "a branch with a condition": A64_START + "cmp x1, x1\nb.eq hidden\nsvc #0\n" + A64_HIDDEN,
    "a branch by a zero": A64_START + "cbz xzr, hidden\nsvc #0\n" + A64_HIDDEN,
    "a branch by a bit": A64_START + "tbz xzr, #3, hidden\nsvc #0\n" + A64_HIDDEN,
    "another section": A64_START + 'b hidden\n.section .more, "ax"\n' + A64_HIDDEN,
    "a section of data": A64_START + "b hidden\n.section .rodata\n" + A64_HIDDEN,
    "what comes next": A64_START + A64_HIDDEN,
    "a filling that is led to": A64_START + "b 1f\n1: nop\n" + A64_HIDDEN,
    "a branch among data": A64_START + "b 1f\n1: .word 0x14000002, 0\n" + A64_HIDDEN,
    "behind a call that returns": A64_START + "bl f\n" + A64_HIDDEN + "f: ret\n",
    "behind a system call": A64_START + "mov x8, #172\nsvc #0\nmov x1, sp\n" + A64_HIDDEN,
    "a constant in a register": A64_START
    + "ldr x3, 1f\nbr x3\n.align 3\n1: .quad hidden\n"
    + A64_HIDDEN,
    "an address in a register": A64_START + "adr x3, hidden\nblr x3\n" + A64_HIDDEN,
    "a page and its rest": A64_START
    + "adrp x3, hidden\nadd x3, x3, :lo12:hidden\nbr x3\n"
    + A64_HIDDEN,
    "quarters of an address": A64_START + "movz x3, #:abs_g1:hidden\nmovk x3, #:abs_g0_nc:hidden\n"
    "mov x4, x3\nret x4\n" + A64_HIDDEN,
    "a size that is too small": ".type _start, %function\n_start: .word 0x910003e1\n"
    ".size _start, 4\n" + A64_HIDDEN,
}
X86_HEAD = ".text\n.globl _start\n"
X86_HIDDEN = "hidden: popcnt %rax, %rdi\nmov $42, %edi\nmov $60, %eax\nsyscall\n"
X86_DATA = ".section .rodata\n" + X86_HIDDEN
X86_EXIT = "mov $60, %eax\nsyscall\n"
X86_WAYS = {
    "the entry point": "nop\n.section .rodata\n_start: " + X86_HIDDEN.removeprefix("hidden: "),
    "a jump": "_start: jmp hidden\n" + X86_DATA,
    "a jump with a condition": "_start: test %rax, %rax\nje hidden\n" + X86_EXIT + X86_DATA,
    "a call": "_start: call hidden\n" + X86_EXIT + X86_DATA,
    "what comes next": "_start: mov $1, %eax\n" + X86_DATA,
    "an address in a register": "_start: lea hidden(%rip), %rax\njmp *%rax\n" + X86_DATA,
    "a constant in a register": "_start: mov $hidden, %eax\ncall *%rax\n" + X86_DATA,
    "a sum in a register": "_start: movabs $hidden - 8, %rcx\nadd $8, %rcx\njmp *%rcx\n" + X86_DATA,
    "a word in memory": "_start: jmp *1f(%rip)\n.data\n1: .quad hidden\n" + X86_DATA,
    "a return": "_start: lea hidden(%rip), %rax\npush %rax\nret\n" + X86_DATA,
    "a return to a constant": "_start: push $hidden\nret\n" + X86_DATA,
    "the middle of another": "_start: jmp 1f + 2\n1: movabs $0x909090c7b80f48f3, %rax\n"
    "mov $42, %edi\n" + X86_EXIT,
}
