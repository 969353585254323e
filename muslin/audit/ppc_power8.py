"""Instructions of POWER8: masks, and below each the instructions with their bits.

Power ISA, version 2.07 B, books I to III. Bits that the manual reserves must be
zero; whether a record form (`add.`) is meant is no part of most masks. Checked
against GNU's disassembler, word by word.
"""

from __future__ import annotations

POWER8 = {
    0xFC000000: (
        "tdi=8000000 twi=c000000 mulli=1c000000 subfic=20000000 cmpli=28000000 cmpi=2c000000 "
        "addic=30000000 addic.=34000000 addi=38000000 addis=3c000000 bc=40000000 b=48000000 "
        "rlwimi=50000000 rlwinm=54000000 rlwnm=5c000000 ori=60000000 oris=64000000 "
        "xori=68000000 xoris=6c000000 andi.=70000000 andis.=74000000 lwz=80000000 "
        "lwzu=84000000 lbz=88000000 lbzu=8c000000 stw=90000000 stwu=94000000 stb=98000000 "
        "stbu=9c000000 lhz=a0000000 lhzu=a4000000 lha=a8000000 lhau=ac000000 sth=b0000000 "
        "sthu=b4000000 lmw=b8000000 stmw=bc000000 lfs=c0000000 lfsu=c4000000 lfd=c8000000 "
        "lfdu=cc000000 stfs=d0000000 stfsu=d4000000 stfd=d8000000 stfdu=dc000000"
    ),
    0xFC000003: "ld=e8000000 ldu=e8000001 lwa=e8000002 std=f8000000 stdu=f8000001",
    0xFC00001C: "rldicl=78000000 rldicr=78000004 rldic=78000008 rldimi=7800000c",
    0xFC00001E: "rldcl=78000010 rldcr=78000012",
    0xFC000030: "xxsel=f0000030",
    0xFC00003E: (
        "isel=7c00001e fmsubs=ec000038 fmadds=ec00003a fnmsubs=ec00003c fnmadds=ec00003e "
        "fsel=fc00002e fmsub=fc000038 fmadd=fc00003a fnmsub=fc00003c fnmadd=fc00003e"
    ),
    0xFC00003F: (
        "vmhaddshs=10000020 vmhraddshs=10000021 vmladduhm=10000022 vmsumubm=10000024 "
        "vmsummbm=10000025 vmsumuhm=10000026 vmsumuhs=10000027 vmsumshm=10000028 "
        "vmsumshs=10000029 vsel=1000002a vperm=1000002b vpermxor=1000002d vmaddfp=1000002e "
        "vnmsubfp=1000002f vaddeuqm=1000003c vaddecuq=1000003d vsubeuqm=1000003e "
        "vsubecuq=1000003f"
    ),
    0xFC0001FE: "dqua=ec000006 drrnd=ec000046 dquai=ec000086 drintx=ec0000c6 drintn=ec0001c6",
    0xFC0003F8: (
        "xvcmpeqsp=f0000218 xvcmpgtsp=f0000258 xvcmpgesp=f0000298 xvcmpeqdp=f0000318 "
        "xvcmpgtdp=f0000358 xvcmpgedp=f0000398"
    ),
    0xFC0003FE: "dscli=ec000084 dscri=ec0000c4",
    0xFC0003FF: (
        "vcmpequb=10000006 vcmpequh=10000046 vcmpequw=10000086 vcmpeqfp=100000c6 "
        "vcmpequd=100000c7 vcmpgefp=100001c6 vcmpgtub=10000206 vcmpgtuh=10000246 "
        "vcmpgtuw=10000286 vcmpgtfp=100002c6 vcmpgtud=100002c7 vcmpgtsb=10000306 "
        "vcmpgtsh=10000346 vcmpgtsw=10000386 vcmpbfp=100003c6 vcmpgtsd=100003c7 "
        "dtstdc=ec000184 dtstdg=ec0001c4 dtstdcq=fc000184 dtstdgq=fc0001c4"
    ),
    0xFC00043F: "vsldoi=1000002c",
    0xFC0004F8: "xxsldwi=f0000010 xxpermdi=f0000050",
    0xFC0005FF: "bcdadd=10000401 bcdsub=10000441",
    0xFC0007F8: (
        "xsaddsp=f0000000 xsmaddasp=f0000008 xssubsp=f0000040 xsmaddmsp=f0000048 "
        "xsmulsp=f0000080 xsmsubasp=f0000088 xxmrghw=f0000090 xsdivsp=f00000c0 "
        "xsmsubmsp=f00000c8 xsadddp=f0000100 xsmaddadp=f0000108 xssubdp=f0000140 "
        "xsmaddmdp=f0000148 xsmuldp=f0000180 xsmsubadp=f0000188 xxmrglw=f0000190 "
        "xsdivdp=f00001c0 xsmsubmdp=f00001c8 xvaddsp=f0000200 xvmaddasp=f0000208 "
        "xvsubsp=f0000240 xvmaddmsp=f0000248 xvmulsp=f0000280 xvmsubasp=f0000288 "
        "xvdivsp=f00002c0 xvmsubmsp=f00002c8 xvadddp=f0000300 xvmaddadp=f0000308 "
        "xvsubdp=f0000340 xvmaddmdp=f0000348 xvmuldp=f0000380 xvmsubadp=f0000388 "
        "xvdivdp=f00003c0 xvmsubmdp=f00003c8 xsnmaddasp=f0000408 xxland=f0000410 "
        "xsnmaddmsp=f0000448 xxlandc=f0000450 xsnmsubasp=f0000488 xxlor=f0000490 "
        "xsnmsubmsp=f00004c8 xxlxor=f00004d0 xsmaxdp=f0000500 xsnmaddadp=f0000508 "
        "xxlnor=f0000510 xsmindp=f0000540 xsnmaddmdp=f0000548 xxlorc=f0000550 "
        "xscpsgndp=f0000580 xsnmsubadp=f0000588 xxlnand=f0000590 xsnmsubmdp=f00005c8 "
        "xxleqv=f00005d0 xvmaxsp=f0000600 xvnmaddasp=f0000608 xvminsp=f0000640 "
        "xvnmaddmsp=f0000648 xvcpsgnsp=f0000680 xvnmsubasp=f0000688 xvnmsubmsp=f00006c8 "
        "xvmaxdp=f0000700 xvnmaddadp=f0000708 xvmindp=f0000740 xvnmaddmdp=f0000748 "
        "xvcpsgndp=f0000780 xvnmsubadp=f0000788 xvnmsubmdp=f00007c8"
    ),
    0xFC0007FC: "sradi=7c000674",
    0xFC0007FE: (
        "subfc=7c000010 mulhdu=7c000012 addc=7c000014 mulhwu=7c000016 lxsiwzx=7c000018 "
        "lwarx=7c000028 slw=7c000030 sld=7c000036 and=7c000038 subf=7c000050 lbarx=7c000068 "
        "andc=7c000078 mulhd=7c000092 mulhw=7c000096 lxsiwax=7c000098 ldarx=7c0000a8 "
        "lharx=7c0000e8 nor=7c0000f8 subfe=7c000110 adde=7c000114 stxsiwx=7c000118 "
        "mulld=7c0001d2 mullw=7c0001d6 add=7c000214 eqv=7c000238 xor=7c000278 lxvdsx=7c000298 "
        "divdeu=7c000312 divweu=7c000316 orc=7c000338 divde=7c000352 divwe=7c000356 "
        "or=7c000378 divdu=7c000392 divwu=7c000396 nand=7c0003b8 divd=7c0003d2 divw=7c0003d6 "
        "subfco=7c000410 addco=7c000414 lxsspx=7c000418 srw=7c000430 srd=7c000436 "
        "subfo=7c000450 lxsdx=7c000498 subfeo=7c000510 addeo=7c000514 stxsspx=7c000518 "
        "hashstp=7c000524 hashchkp=7c000564 stxsdx=7c000598 hashst=7c0005a4 mulldo=7c0005d2 "
        "mullwo=7c0005d6 hashchk=7c0005e4 addo=7c000614 lxvw4x=7c000618 sraw=7c000630 "
        "srad=7c000634 srawi=7c000670 lxvd2x=7c000698 divdeuo=7c000712 divweuo=7c000716 "
        "stxvw4x=7c000718 divdeo=7c000752 divweo=7c000756 divduo=7c000792 divwuo=7c000796 "
        "stxvd2x=7c000798 divdo=7c0007d2 divwo=7c0007d6 dadd=ec000004 fdivs=ec000024 "
        "fsubs=ec000028 fadds=ec00002a dmul=ec000044 dctdp=ec000204 dctfix=ec000244 "
        "ddedpd=ec000284 dxex=ec0002c4 dsub=ec000404 ddiv=ec000444 drsp=ec000604 "
        "denbcd=ec000684 diex=ec0006c4 fcpsgn=fc000010 fdiv=fc000024 fsub=fc000028 "
        "fadd=fc00002a dctfixq=fc000244 dxexq=fc0002c4 mtfsf=fc00058e"
    ),
    0xFC0007FF: (
        "vaddubm=10000000 vmaxub=10000002 vrlb=10000004 vmuloub=10000008 vaddfp=1000000a "
        "vmrghb=1000000c vpkuhum=1000000e vadduhm=10000040 vmaxuh=10000042 vrlh=10000044 "
        "vmulouh=10000048 vsubfp=1000004a vmrghh=1000004c vpkuwum=1000004e vadduwm=10000080 "
        "vmaxuw=10000082 vrlw=10000084 vmulouw=10000088 vmuluwm=10000089 vmrghw=1000008c "
        "vpkuhus=1000008e vaddudm=100000c0 vmaxud=100000c2 vrld=100000c4 vpkuwus=100000ce "
        "vadduqm=10000100 vmaxsb=10000102 vslb=10000104 vmulosb=10000108 vmrglb=1000010c "
        "vpkshus=1000010e vaddcuq=10000140 vmaxsh=10000142 vslh=10000144 vmulosh=10000148 "
        "vmrglh=1000014c vpkswus=1000014e vaddcuw=10000180 vmaxsw=10000182 vslw=10000184 "
        "vmulosw=10000188 vmrglw=1000018c vpkshss=1000018e vmaxsd=100001c2 vsl=100001c4 "
        "vpkswss=100001ce vaddubs=10000200 vminub=10000202 vsrb=10000204 vmuleub=10000208 "
        "vadduhs=10000240 vminuh=10000242 vsrh=10000244 vmuleuh=10000248 vadduws=10000280 "
        "vminuw=10000282 vsrw=10000284 vmuleuw=10000288 vminud=100002c2 vsr=100002c4 "
        "vaddsbs=10000300 vminsb=10000302 vsrab=10000304 vmulesb=10000308 vcfux=1000030a "
        "vpkpx=1000030e vaddshs=10000340 vminsh=10000342 vsrah=10000344 vmulesh=10000348 "
        "vcfsx=1000034a vaddsws=10000380 vminsw=10000382 vsraw=10000384 vmulesw=10000388 "
        "vctuxs=1000038a vminsd=100003c2 vsrad=100003c4 vctsxs=100003ca vsububm=10000400 "
        "vavgub=10000402 vand=10000404 vpmsumb=10000408 vmaxfp=1000040a vslo=1000040c "
        "vsubuhm=10000440 vavguh=10000442 vandc=10000444 vpmsumh=10000448 vminfp=1000044a "
        "vsro=1000044c vpkudum=1000044e vsubuwm=10000480 vavguw=10000482 vor=10000484 "
        "vpmsumw=10000488 vsubudm=100004c0 vxor=100004c4 vpmsumd=100004c8 vpkudus=100004ce "
        "vsubuqm=10000500 vavgsb=10000502 vnor=10000504 vcipher=10000508 vcipherlast=10000509 "
        "vsubcuq=10000540 vavgsh=10000542 vorc=10000544 vncipher=10000548 "
        "vncipherlast=10000549 vbpermq=1000054c vpksdus=1000054e vsubcuw=10000580 "
        "vavgsw=10000582 vnand=10000584 vsld=100005c4 vpksdss=100005ce vsububs=10000600 "
        "vsum4ubs=10000608 vsubuhs=10000640 vsum4shs=10000648 vsubuws=10000680 "
        "vshasigmaw=10000682 veqv=10000684 vsum2sws=10000688 vmrgow=1000068c "
        "vshasigmad=100006c2 vsrd=100006c4 vsubsbs=10000700 vsum4sbs=10000708 vsubshs=10000740 "
        "vsubsws=10000780 vsumsws=10000788 vmrgew=1000078c crnor=4c000042 crandc=4c000102 "
        "crxor=4c000182 crnand=4c0001c2 crand=4c000202 creqv=4c000242 crorc=4c000342 "
        "cror=4c000382 tw=7c000008 lvsl=7c00000c lvebx=7c00000e ldx=7c00002a icbt=7c00002c "
        "lwzx=7c00002e lvsr=7c00004c lvehx=7c00004e ldux=7c00006a lwzux=7c00006e td=7c000088 "
        "lvewx=7c00008e addg6s=7c000094 lbzx=7c0000ae lvx=7c0000ce lbzux=7c0000ee "
        "stvebx=7c00010e stdx=7c00012a stwcx=7c00012d stwx=7c00012e stvehx=7c00014e "
        "stdux=7c00016a stwux=7c00016e stvewx=7c00018e stdcx=7c0001ad stbx=7c0001ae "
        "stvx=7c0001ce dcbtst=7c0001ec stbux=7c0001ee bpermd=7c0001f8 dcbt=7c00022c "
        "lhzx=7c00022e mfbhrbe=7c00025c lhzux=7c00026e mfspr=7c0002a6 lwax=7c0002aa "
        "lhax=7c0002ae lvxl=7c0002ce mftb=7c0002e6 lwaux=7c0002ea lhaux=7c0002ee sthx=7c00032e "
        "sthux=7c00036e mtspr=7c0003a6 stvxl=7c0003ce cmpb=7c0003f8 ldbrx=7c000428 "
        "lswx=7c00042a lwbrx=7c00042c lfsx=7c00042e lfsux=7c00046e lswi=7c0004aa lfdx=7c0004ae "
        "lfdux=7c0004ee stdbrx=7c000528 stswx=7c00052a stwbrx=7c00052c stfsx=7c00052e "
        "stbcx=7c00056d stfsux=7c00056e stswi=7c0005aa sthcx=7c0005ad stfdx=7c0005ae "
        "stfdux=7c0005ee tabortwc=7c00061d lwzcix=7c00062a lhbrx=7c00062c tabortdc=7c00065d "
        "lhzcix=7c00066a tabortwci=7c00069d lbzcix=7c0006aa lfiwax=7c0006ae tabortdci=7c0006dd "
        "ldcix=7c0006ea lfiwzx=7c0006ee stwcix=7c00072a sthbrx=7c00072c sthcix=7c00076a "
        "stbcix=7c0007aa stfiwx=7c0007ae stdcix=7c0007ea dcmpo=ec000104 dtstex=ec000144 "
        "dcmpu=ec000504 dtstsf=ec000544 dcmpoq=fc000104 dtstexq=fc000144 dcmpuq=fc000504 "
        "dtstsfq=fc000544 fmrgow=fc00068c fmrgew=fc00078c"
    ),
    0xFC00E7FF: (
        "bclr=4c000020 bclrl=4c000021 bcctr=4c000420 bcctrl=4c000421 bctar=4c000460 bctarl=4c000461"
    ),
    0xFC00F83E: "fmuls=ec000032 fmul=fc000032",
    0xFC00FFFE: (
        "cntlzw=7c000034 mfvsrd=7c000066 cntlzd=7c000074 neg=7c0000d0 mfvsrwz=7c0000e6 "
        "mtvsrd=7c000166 subfze=7c000190 addze=7c000194 mtvsrwa=7c0001a6 subfme=7c0001d0 "
        "addme=7c0001d4 mtvsrwz=7c0001e6 nego=7c0004d0 subfzeo=7c000590 addzeo=7c000594 "
        "subfmeo=7c0005d0 addmeo=7c0005d4 extsh=7c000734 extsb=7c000774 extsw=7c0007b4"
    ),
    0xFC00FFFF: (
        "vspltisb=1000030c vspltish=1000034c vspltisw=1000038c vsbox=100005c8 popcntb=7c0000f4 "
        "prtyw=7c000134 prtyd=7c000174 cdtbcd=7c000234 cbcdtd=7c000274 popcntw=7c0002f4 "
        "popcntd=7c0003f4"
    ),
    0xFC1007FF: "vspltb=1000020c",
    0xFC100FFF: "mtcrf=7c000120 mfocrf=7c100026 mtocrf=7c100120",
    0xFC1807FF: "vsplth=1000024c",
    0xFC1C07FC: "xxspltw=f0000290",
    0xFC1C07FF: "vspltw=1000028c",
    0xFC1EFFFF: "mtmsr=7c000124 mtmsrd=7c000164",
    0xFC1F07FC: (
        "xsrsqrtesp=f0000028 xssqrtsp=f000002c xsresp=f0000068 xscvdpuxws=f0000120 "
        "xsrdpi=f0000124 xsrsqrtedp=f0000128 xssqrtdp=f000012c xscvdpsxws=f0000160 "
        "xsrdpiz=f0000164 xsredp=f0000168 xsrdpip=f00001a4 xsrdpic=f00001ac xsrdpim=f00001e4 "
        "xvcvspuxws=f0000220 xvrspi=f0000224 xvrsqrtesp=f0000228 xvsqrtsp=f000022c "
        "xvcvspsxws=f0000260 xvrspiz=f0000264 xvresp=f0000268 xvcvuxwsp=f00002a0 "
        "xvrspip=f00002a4 xvrspic=f00002ac xvcvsxwsp=f00002e0 xvrspim=f00002e4 "
        "xvcvdpuxws=f0000320 xvrdpi=f0000324 xvrsqrtedp=f0000328 xvsqrtdp=f000032c "
        "xvcvdpsxws=f0000360 xvrdpiz=f0000364 xvredp=f0000368 xvcvuxwdp=f00003a0 "
        "xvrdpip=f00003a4 xvrdpic=f00003ac xvcvsxwdp=f00003e0 xvrdpim=f00003e4 "
        "xscvdpsp=f0000424 xscvdpspn=f000042c xsrsp=f0000464 xscvuxdsp=f00004a0 "
        "xscvsxdsp=f00004e0 xscvdpuxds=f0000520 xscvspdp=f0000524 xscvspdpn=f000052c "
        "xscvdpsxds=f0000560 xsabsdp=f0000564 xscvuxddp=f00005a0 xsnabsdp=f00005a4 "
        "xscvsxddp=f00005e0 xsnegdp=f00005e4 xvcvspuxds=f0000620 xvcvdpsp=f0000624 "
        "xvcvspsxds=f0000660 xvabssp=f0000664 xvcvuxdsp=f00006a0 xvnabssp=f00006a4 "
        "xvcvsxdsp=f00006e0 xvnegsp=f00006e4 xvcvdpuxds=f0000720 xvcvspdp=f0000724 "
        "xvcvdpsxds=f0000760 xvabsdp=f0000764 xvcvuxddp=f00007a0 xvnabsdp=f00007a4 "
        "xvcvsxddp=f00007e0 xvnegdp=f00007e4"
    ),
    0xFC1F07FE: (
        "fsqrts=ec00002c fres=ec000030 frsqrtes=ec000034 dcffix=ec000644 fcfids=ec00069c "
        "fcfidus=ec00079c frsp=fc000018 fctiw=fc00001c fctiwz=fc00001e fsqrt=fc00002c "
        "fre=fc000030 frsqrte=fc000034 fneg=fc000050 fmr=fc000090 fnabs=fc000110 "
        "fctiwu=fc00011c fctiwuz=fc00011e fabs=fc000210 frin=fc000310 friz=fc000350 "
        "frip=fc000390 frim=fc0003d0 fctid=fc00065c fctidz=fc00065e fcfid=fc00069c "
        "fctidu=fc00075c fctiduz=fc00075e fcfidu=fc00079c"
    ),
    0xFC1F07FF: (
        "vrefp=1000010a vrsqrtefp=1000014a vexptefp=1000018a vlogefp=100001ca vrfin=1000020a "
        "vupkhsb=1000020e vrfiz=1000024a vupkhsh=1000024e vrfip=1000028a vupklsb=1000028e "
        "vrfim=100002ca vupklsh=100002ce vupkhpx=1000034e vupklpx=100003ce vgbbd=1000050c "
        "vupkhsw=1000064e vupklsw=100006ce vclzb=10000702 vpopcntb=10000703 vclzh=10000742 "
        "vpopcnth=10000743 vclzw=10000782 vpopcntw=10000783 vclzd=100007c2 vpopcntd=100007c3 "
        "tlbie=7c000264 slbmte=7c000324 slbmfev=7c0006a6 slbmfee=7c000726 slbfee=7c0007a7"
    ),
    0xFC1FFFFE: "mtfsb1=fc00004c mtfsb0=fc00008c mffs=fc00048e",
    0xFC1FFFFF: "mfvscr=10000604 mfcr=7c000026 mfmsr=7c0000a6",
    0xFC200000: "lq=e0000000",
    0xFC200003: "stq=f8000002",
    0xFC2001FE: (
        "dquaq=fc000006 drrndq=fc000046 dquaiq=fc000086 drintxq=fc0000c6 drintnq=fc0001c6"
    ),
    0xFC2003FE: "dscliq=fc000084 dscriq=fc0000c4",
    0xFC2007FE: (
        "lqarx=7c000228 daddq=fc000004 dmulq=fc000044 dctqpq=fc000204 ddedpdq=fc000284 "
        "dsubq=fc000404 ddivq=fc000444 drdpq=fc000604 dcffixq=fc000644 denbcdq=fc000684 "
        "diexq=fc0006c4"
    ),
    0xFC2007FF: "stqcx=7c00016d",
    0xFC4007FF: "cmp=7c000000 cmpl=7c000040",
    0xFC6007F9: (
        "xscmpudp=f0000118 xscmpodp=f0000158 xstdivdp=f00001e8 xvtdivsp=f00002e8 xvtdivdp=f00003e8"
    ),
    0xFC6007FF: "fcmpu=fc000000 fcmpo=fc000040 ftdiv=fc000100",
    0xFC63FFFF: "mcrf=4c000000 mcrfs=fc000080",
    0xFC7E0FFE: "mtfsfi=fc00010c",
    0xFC7F07FD: "xstsqrtdp=f00001a8 xvtsqrtsp=f00002a8 xvtsqrtdp=f00003a8",
    0xFC7F07FF: "ftsqrt=fc000140",
    0xFC7FFFFF: "tcheck=7c00059c",
    0xFE0007FE: (
        "dst=7c0002ac dstst=7c0002ec dss=7c00066c dstt=7e0002ac dststt=7e0002ec dssall=7e00066c"
    ),
    0xFF1FFFFF: "slbia=7c0003e4",
    0xFF8007FF: "dcbf=7c0000ac",
    0xFF9FFFFF: "sync=7c0004ac",
    0xFFDF07FF: "tlbiel=7c000224",
    0xFFDFFFFF: "tbegin=7c00051d tsr=7c0005dd",
    0xFFE007FF: "dcbst=7c00006c icbi=7c0007ac dcbz=7c0007ec dcbzl=7c2007ec",
    0xFFE0FFFF: "tabort=7c00071d treclaim=7c00075d",
    0xFFFF07FF: (
        "mtvscr=10000644 msgsndp=7c00011c msgclrp=7c00015c msgsnd=7c00019c msgclr=7c0001dc "
        "slbie=7c000364"
    ),
    0xFFFFF01F: "sc=44000002",
    0xFFFFF7FF: "rfebb=4c000124",
    0xFFFFFFFF: (
        "rfid=4c000024 rfi=4c000064 isync=4c00012c hrfid=4c000224 doze=4c000324 nap=4c000364 "
        "sleep=4c0003a4 rvwinkle=4c0003e4 clrbhrb=7c00035c tlbsync=7c00046c tend=7c00055d "
        "eieio=7c0006ac trechkpt=7c0007dd"
    ),
}
