"""Instructions of POWER9 and POWER10, less what POWER8 has: masks, and
below each the instructions with their bits.

Power ISA, versions 3.0 B and 3.1, books I to III; as in ppc_power8.py.
"""

from __future__ import annotations

POWER9 = {
    0xFC000003: "lxsd=e4000002 lxssp=e4000003 stxsd=f4000002 stxssp=f4000003",
    0xFC000007: "lxv=f4000001 stxv=f4000005",
    0xFC00003E: "addpcis=4c000004",
    0xFC00003F: (
        "vmsumudm=10000023 maddhd=10000030 maddhdu=10000031 maddld=10000033 vpermr=1000003b"
    ),
    0xFC0001FF: "addex=7c000154 xsrqpi=fc00000a xsrqpix=fc00000b xsrqpxp=fc00004a",
    0xFC0003FF: (
        "vcmpneb=10000007 vcmpneh=10000047 vcmpnew=10000087 vcmpnezb=10000107 "
        "vcmpnezh=10000147 vcmpnezw=10000187"
    ),
    0xFC0005FF: "bcds=100004c1 bcdtrunc=10000501 bcdsr=100005c1",
    0xFC0007B8: "xvtstdcsp=f00006a8 xvtstdcdp=f00007a8",
    0xFC0007F8: (
        "xscmpeqdp=f0000018 xscmpgtdp=f0000058 xscmpgedp=f0000098 xxperm=f00000d0 "
        "xxpermr=f00001d0 xsmaxcdp=f0000400 xsmincdp=f0000440 xsmaxjdp=f0000480 "
        "xsminjdp=f00004c0 xviexpsp=f00006c0 xviexpdp=f00007c0"
    ),
    0xFC0007FC: "extswsli=7c0006f4",
    0xFC0007FD: "xststdcsp=f00004a8 xststdcdp=f00005a8",
    0xFC0007FE: (
        "lxvx=7c000218 lxvl=7c00021a lxvll=7c00025a lxvwsx=7c0002d8 stxvx=7c000318 "
        "stxvl=7c00031a stxvll=7c00035a mtvsrdd=7c000366 lxsibzx=7c00061a lxvh8x=7c000658 "
        "lxsihzx=7c00065a lxvb16x=7c0006d8 stxsibx=7c00071a stxvh8x=7c000758 stxsihx=7c00075a "
        "stxvb16x=7c0007d8 xsiexpdp=f000072c"
    ),
    0xFC0007FF: (
        "vmul10ecuq=10000041 vrlwmi=10000085 vrldmi=100000c5 vrlwnm=10000185 vrldnm=100001c5 "
        "vmul10euq=10000241 bcdcpsgn=10000341 vabsdub=10000403 vabsduh=10000443 bcdus=10000481 "
        "vabsduw=10000483 bcdutrunc=10000541 vbpermd=100005cc vextublx=1000060d "
        "vextuhlx=1000064d vextuwlx=1000068d vsrv=10000704 vextubrx=1000070d vslv=10000744 "
        "vextuhrx=1000074d vextuwrx=1000078d modud=7c000212 moduw=7c000216 lwat=7c00048c "
        "ldat=7c0004cc stwat=7c00058c stdat=7c0005cc modsd=7c000612 modsw=7c000616 "
        "xsaddqp=fc000008 xsaddqpo=fc000009 xsmulqp=fc000048 xsmulqpo=fc000049 "
        "xscpsgnqp=fc0000c8 xsmaddqp=fc000308 xsmaddqpo=fc000309 xsmsubqp=fc000348 "
        "xsmsubqpo=fc000349 xsnmaddqp=fc000388 xsnmaddqpo=fc000389 xsnmsubqp=fc0003c8 "
        "xsnmsubqpo=fc0003c9 xssubqp=fc000408 xssubqpo=fc000409 xsdivqp=fc000448 "
        "xsdivqpo=fc000449 xststdcqp=fc000588 xsiexpqp=fc0006c8"
    ),
    0xFC00FFFE: "mfvsrld=7c000266 mtvsrws=7c000326 cnttzw=7c000434 cnttzd=7c000474",
    0xFC00FFFF: "vmul10cuq=10000001 vmul10uq=10000201",
    0xFC03FFFF: "setb=7c000100",
    0xFC1007FC: "xxextractuw=f0000294 xxinsertw=f00002d4",
    0xFC1007FF: (
        "vextractub=1000020d vextractuh=1000024d vextractuw=1000028d vextractd=100002cd "
        "vinsertb=1000030d vinserth=1000034d vinsertw=1000038d vinsertd=100003cd"
    ),
    0xFC1807FE: "xxspltib=f00002d0",
    0xFC1CFFFF: "darn=7c0005e6",
    0xFC1F05FF: (
        "bcdcfsq=10020581 bcdctz=10040581 bcdcfz=10060581 bcdcfn=10070581 bcdsetsgn=101f0581"
    ),
    0xFC1F07FC: (
        "xvxexpdp=f000076c xvxsigdp=f001076c xxbrh=f007076c xvxexpsp=f008076c "
        "xvxsigsp=f009076c xxbrw=f00f076c xscvhpdp=f010056c xscvdphp=f011056c xxbrd=f017076c "
        "xvcvhpsp=f018076c xvcvsphp=f019076c xxbrq=f01f076c"
    ),
    0xFC1F07FD: "xsxexpdp=f000056c xsxsigdp=f001056c",
    0xFC1F07FF: (
        "bcdctsq=10000581 vclzlsbb=10000602 vctzlsbb=10010602 bcdctn=10050581 vnegw=10060602 "
        "vnegd=10070602 vprtybw=10080602 vprtybd=10090602 vprtybq=100a0602 vextsb2w=10100602 "
        "vextsh2w=10110602 vextsb2d=10180602 vextsh2d=10190602 vextsw2d=101a0602 "
        "vctzb=101c0602 vctzh=101d0602 vctzw=101e0602 vctzd=101f0602 slbieg=7c0003a4 "
        "xsabsqp=fc000648 xscvqpuwz=fc010688 xsxexpqp=fc020648 xscvudqp=fc020688 "
        "xsnabsqp=fc080648 xscvqpswz=fc090688 xscvsdqp=fc0a0688 xsnegqp=fc100648 "
        "xscvqpudz=fc110688 xsxsigqp=fc120648 mffscdrn=fc14048e xscvqpdp=fc140688 "
        "xscvqpdpo=fc140689 mffscrn=fc16048e xscvdpqp=fc160688 xscvqpsdz=fc190688 "
        "xssqrtqp=fc1b0648 xssqrtqpo=fc1b0649"
    ),
    0xFC1FC7FF: "mffscdrni=fc15048e",
    0xFC1FE7FF: "mffscrni=fc17048e",
    0xFC4007FF: "cmprb=7c000180 dtstsfi=ec000546 dtstsfiq=fc000546",
    0xFC6007F9: "xscmpexpdp=f00001d8",
    0xFC6007FF: "cmpeqb=7c0001c0 xscmpoqp=fc000108 xscmpexpqp=fc000148 xscmpuqp=fc000508",
    0xFC7FFFFF: "mcrxrx=7c000480",
    0xFFE007FF: "copy=7c20060c paste=7c20070d",
    0xFFFF07FF: "msgsndu=7c00009c msgclru=7c0000dc rmieg=7c0006e4",
    0xFFFFF01F: "scv=44000001",
    0xFFFFFFFF: (
        "rfscv=4c0000a4 urfid=4c000264 stop=4c0002e4 slbsync=7c0002a4 cpabort=7c00068c "
        "msgsync=7c0006ec"
    ),
}
POWER10 = {
    0xFC00000F: "lxvp=18000000 stxvp=18000001",
    0xFC00003E: "mtvsrbmi=10000014",
    0xFC00003F: (
        "vmsumcud=10000017 vextdubvlx=10000018 vextdubvrx=10000019 vextduhvlx=1000001a "
        "vextduhvrx=1000001b vextduwvlx=1000001c vextduwvrx=1000001d vextddvlx=1000001e "
        "vextddvrx=1000001f"
    ),
    0xFC0003FF: "vcmpequq=100001c7 vcmpgtuq=10000287 vcmpgtsq=10000387",
    0xFC00063F: "vsldbi=10000016 vsrdbi=10000216",
    0xFC0007FE: (
        "lxvrbx=7c00001a lxvrhx=7c00005a lxvrwx=7c00009a lxvrdx=7c0000da stxvrbx=7c00011a "
        "stxvrhx=7c00015a stxvrwx=7c00019a stxvrdx=7c0001da lxvpx=7c00029a stxvpx=7c00039a "
        "xxgenpcvbm=f0000728 xxgenpcvhm=f000072a xxgenpcvwm=f0000768 xxgenpcvdm=f000076a"
    ),
    0xFC0007FF: (
        "vrlq=10000005 vdivuq=1000000b vinsbvlx=1000000f vrlqmi=10000045 vinshvlx=1000004f "
        "vdivuw=1000008b vinswvlx=1000008f vmuloud=100000c8 vdivud=100000cb vslq=10000105 "
        "vdivsq=1000010b vinsbvrx=1000010f vrlqnm=10000145 vinshvrx=1000014f vdivsw=1000018b "
        "vclrlb=1000018d vinswvrx=1000018f vmulosd=100001c8 vmulld=100001c9 vdivsd=100001cb "
        "vclrrb=100001cd vsrq=10000205 vdiveuq=1000020b vinsblx=1000020f vinshlx=1000024f "
        "vmulhuw=10000289 vdiveuw=1000028b vinswlx=1000028f vmuleud=100002c8 vmulhud=100002c9 "
        "vdiveud=100002cb vinsdlx=100002cf vsraq=10000305 vdivesq=1000030b vinsbrx=1000030f "
        "vinshrx=1000034f vmulhsw=10000389 vdivesw=1000038b vinswrx=1000038f vmulesd=100003c8 "
        "vmulhsd=100003c9 vdivesd=100003cb vinsdrx=100003cf vgnb=100004cc vcfuged=1000054d "
        "vpextd=1000058d vpdepd=100005cd vmoduq=1000060b vmoduw=1000068b vmodud=100006cb "
        "vmodsq=1000070b vclzdm=10000784 vmodsw=1000078b vctzdm=100007c4 vmodsd=100007cb "
        "cntlzdm=7c000076 pdepd=7c000138 pextd=7c000178 cfuged=7c0001b8 cnttzdm=7c000476 "
        "xscmpeqqp=fc000088 xscmpgeqp=fc000188 xscmpgtqp=fc0001c8 xsmaxcqp=fc000548 "
        "xsmincqp=fc0005c8"
    ),
    0xFC00FFFF: (
        "brw=7c000136 brd=7c000176 brh=7c0001b6 setbc=7c000300 setbcr=7c000340 setnbc=7c000380 "
        "setnbcr=7c0003c0"
    ),
    0xFC1007FF: "vinsw=100000cf vinsd=100001cf",
    0xFC1E07FF: "vcntmbb=10180642 vcntmbh=101a0642 vcntmbw=101c0642 vcntmbd=101e0642",
    0xFC1F03FF: "vstribl=1000000d vstribr=1001000d vstrihl=1002000d vstrihr=1003000d",
    0xFC1F07FC: "xvcvbf16spn=f010076c xvcvspbf16=f011076c",
    0xFC1F07FE: "lxvkq=f01f02d0",
    0xFC1F07FF: (
        "vexpandbm=10000642 vexpandhm=10010642 vexpandwm=10020642 vexpanddm=10030642 "
        "vexpandqm=10040642 vextractbm=10080642 vextracthm=10090642 vextractwm=100a0642 "
        "vextractdm=100b0642 vextractqm=100c0642 mtvsrbm=10100642 mtvsrhm=10110642 "
        "mtvsrwm=10120642 mtvsrdm=10130642 mtvsrqm=10140642 vextsd2q=101b0602 "
        "xscvqpuqz=fc000688 dcffixqq=fc0007c4 dctfixqq=fc0107c4 xscvuqqp=fc030688 "
        "xscvqpsqz=fc080688 xscvsqqp=fc0b0688"
    ),
    0xFC6007FF: (
        "vcmpuq=10000101 vcmpsq=10000141 xvi8ger4pp=ec000016 xvi8ger4=ec00001e "
        "xvf16ger2pp=ec000096 xvf16ger2=ec00009e xvf32gerpp=ec0000d6 xvf32ger=ec0000de "
        "xvi4ger8pp=ec000116 xvi4ger8=ec00011e xvi16ger2spp=ec000156 xvi16ger2s=ec00015e "
        "xvbf16ger2pp=ec000196 xvbf16ger2=ec00019e xvf64gerpp=ec0001d6 xvf64ger=ec0001de "
        "xvi16ger2=ec00025e xvf16ger2np=ec000296 xvf32gernp=ec0002d6 xvi8ger4spp=ec00031e "
        "xvi16ger2pp=ec00035e xvbf16ger2np=ec000396 xvf64gernp=ec0003d6 xvf16ger2pn=ec000496 "
        "xvf32gerpn=ec0004d6 xvbf16ger2pn=ec000596 xvf64gerpn=ec0005d6 xvf16ger2nn=ec000696 "
        "xvf32gernn=ec0006d6 xvbf16ger2nn=ec000796 xvf64gernn=ec0007d6"
    ),
    0xFC7F07FD: "xvtlsbb=f002076c",
    0xFC7FFFFF: "xxmfacc=7c000162 xxmtacc=7c010162 xxsetaccz=7c030162",
    0xFCE027FF: (
        "xvi8ger4pp=ec002014 xvi8ger4=ec00201c xvf16ger2pp=ec002094 xvf16ger2=ec00209c "
        "xvf32gerpp=ec0020d4 xvf32ger=ec0020dc xvi4ger8pp=ec002114 xvi4ger8=ec00211c "
        "xvi16ger2spp=ec002154 xvi16ger2s=ec00215c xvbf16ger2pp=ec002194 xvbf16ger2=ec00219c "
        "xvf64gerpp=ec0021d4 xvf64ger=ec0021dc xvi16ger2=ec00225c xvf16ger2np=ec002294 "
        "xvf32gernp=ec0022d4 xvi8ger4spp=ec00231c xvi16ger2pp=ec00235c xvbf16ger2np=ec002394 "
        "xvf64gernp=ec0023d4 xvf16ger2pn=ec002494 xvf32gerpn=ec0024d4 xvbf16ger2pn=ec002594 "
        "xvf64gerpn=ec0025d4 xvf16ger2nn=ec002694 xvf32gernn=ec0026d4 xvbf16ger2nn=ec002794 "
        "xvf64gernn=ec0027d4"
    ),
    0xFCE407FF: (
        "xvi8ger4pp=ec040012 xvi8ger4=ec04001a xvf16ger2pp=ec040092 xvf16ger2=ec04009a "
        "xvf32gerpp=ec0400d2 xvf32ger=ec0400da xvi4ger8pp=ec040112 xvi4ger8=ec04011a "
        "xvi16ger2spp=ec040152 xvi16ger2s=ec04015a xvbf16ger2pp=ec040192 xvbf16ger2=ec04019a "
        "xvf64gerpp=ec0401d2 xvf64ger=ec0401da xvi16ger2=ec04025a xvf16ger2np=ec040292 "
        "xvf32gernp=ec0402d2 xvi8ger4spp=ec04031a xvi16ger2pp=ec04035a xvbf16ger2np=ec040392 "
        "xvf64gernp=ec0403d2 xvf16ger2pn=ec040492 xvf32gerpn=ec0404d2 xvbf16ger2pn=ec040592 "
        "xvf64gerpn=ec0405d2 xvf16ger2nn=ec040692 xvf32gernn=ec0406d2 xvbf16ger2nn=ec040792 "
        "xvf64gernn=ec0407d2"
    ),
    0xFF0007FF: "dcbf=7c0000ac",
    0xFF1CFFFF: "sync=7c0004ac",
    0xFF8FFFFF: "wait=7c00003c",
}
"""Less what has a prefix."""
