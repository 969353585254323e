"""Vector instructions of x86 by the level that has them: x86-64-v3, x86-64-v4, or neither.

Names are capstone's; the levels are those of the x86-64 psABI, table 3.1. Names that neither list
has need more than the levels: FMA4, XOP, VAES, GFNI, VNNI, FP16 and what comes later.
"""

from __future__ import annotations

import functools

AVX = "AVX or later"
"""AVX, AVX2, FMA and F16C, as x86-64-v3 has them."""
AVX512 = "AVX-512"
"""Foundation, BW, CD, DQ and VL, as x86-64-v4 has them."""
VECTORS = "another vector extension"

PREFIXES = frozenset(bytes.fromhex("262e363e646566f067f2f3"))
"""Legacy prefixes."""
EVEX = 0x62
"""How instructions of AVX-512 begin, behind prefixes."""
MASKS = ("kadd", "kand", "kmov", "knot", "kor", "kshift", "ktest", "kunpck", "kxnor", "kxor")
"""How instructions begin that work on AVX-512's mask registers."""
FUSED = frozenset(
    f"vf{how}{order}{kind}"
    for how in ("madd", "msub", "nmadd", "nmsub", "maddsub", "msubadd")
    for order in ("132", "213", "231")
    for kind in ("pd", "ps", "sd", "ss")
)
_WITH_AVX2 = (
    "vaddpd vaddps vaddsd vaddss vaddsubpd vaddsubps vandnpd vandnps vandpd vandps vblendpd "
    "vblendps vblendvpd vblendvps vbroadcastf128 vbroadcasti128 vbroadcastsd vbroadcastss vcomisd "
    "vcomiss vcvtdq2pd vcvtdq2ps vcvtpd2dq vcvtpd2ps vcvtph2ps vcvtps2dq vcvtps2pd vcvtps2ph "
    "vcvtsd2si vcvtsd2ss vcvtsi2sd vcvtsi2ss vcvtss2sd vcvtss2si vcvttpd2dq vcvttps2dq vcvttsd2si "
    "vcvttss2si vdivpd vdivps vdivsd vdivss vdppd vdpps vextractf128 vextracti128 vextractps "
    "vgatherdpd vgatherdps vgatherqpd vgatherqps vhaddpd vhaddps vhsubpd vhsubps vinsertf128 "
    "vinserti128 vinsertps vlddqu vldmxcsr vmaskmovdqu vmaskmovpd vmaskmovps vmaxpd vmaxps vmaxsd "
    "vmaxss vminpd vminps vminsd vminss vmovapd vmovaps vmovd vmovddup vmovdqa vmovdqu vmovhlps "
    "vmovhpd vmovhps vmovlhps vmovlpd vmovlps vmovmskpd vmovmskps vmovntdq vmovntdqa vmovntpd "
    "vmovntps vmovq vmovsd vmovshdup vmovsldup vmovss vmovupd vmovups vmpsadbw vmulpd vmulps "
    "vmulsd vmulss vorpd vorps vpabsb vpabsd vpabsw vpackssdw vpacksswb vpackusdw vpackuswb "
    "vpaddb vpaddd vpaddq vpaddsb vpaddsw vpaddusb vpaddusw vpaddw vpalignr vpand vpandn vpavgb "
    "vpavgw vpblendd vpblendvb vpblendw vpbroadcastb vpbroadcastd vpbroadcastq vpbroadcastw "
    "vpcmpeqb vpcmpeqd vpcmpeqq vpcmpeqw vpcmpestri vpcmpestrm vpcmpgtb vpcmpgtd vpcmpgtq "
    "vpcmpgtw vpcmpistri vpcmpistrm vperm2f128 vperm2i128 vpermd vpermilpd vpermilps vpermpd "
    "vpermps vpermq vpextrb vpextrd vpextrq vpextrw vpgatherdd vpgatherdq vpgatherqd vpgatherqq "
    "vphaddd vphaddsw vphaddw vphminposuw vphsubd vphsubsw vphsubw vpinsrb vpinsrd vpinsrq "
    "vpinsrw vpmaddubsw vpmaddwd vpmaskmovd vpmaskmovq vpmaxsb vpmaxsd vpmaxsw vpmaxub vpmaxud "
    "vpmaxuw vpminsb vpminsd vpminsw vpminub vpminud vpminuw vpmovmskb vpmovsxbd vpmovsxbq "
    "vpmovsxbw vpmovsxdq vpmovsxwd vpmovsxwq vpmovzxbd vpmovzxbq vpmovzxbw vpmovzxdq vpmovzxwd "
    "vpmovzxwq vpmuldq vpmulhrsw vpmulhuw vpmulhw vpmulld vpmullw vpmuludq vpor vpsadbw vpshufb "
    "vpshufd vpshufhw vpshuflw vpsignb vpsignd vpsignw vpslld vpslldq vpsllq vpsllvd vpsllvq "
    "vpsllw vpsrad vpsravd vpsraw vpsrld vpsrldq vpsrlq vpsrlvd vpsrlvq vpsrlw vpsubb vpsubd "
    "vpsubq vpsubsb vpsubsw vpsubusb vpsubusw vpsubw vptest vpunpckhbw vpunpckhdq vpunpckhqdq "
    "vpunpckhwd vpunpcklbw vpunpckldq vpunpcklqdq vpunpcklwd vpxor vrcpps vrcpss vroundpd "
    "vroundps vroundsd vroundss vrsqrtps vrsqrtss vshufpd vshufps vsqrtpd vsqrtps vsqrtsd vsqrtss "
    "vstmxcsr vsubpd vsubps vsubsd vsubss vtestpd vtestps vucomisd vucomiss vunpckhpd vunpckhps "
    "vunpcklpd vunpcklps vxorpd vxorps vzeroall vzeroupper"
)
_WITH_AVX512 = (
    "valignd valignq vblendmpd vblendmps vbroadcastf32x2 vbroadcastf32x4 vbroadcastf32x8 "
    "vbroadcastf64x2 vbroadcastf64x4 vbroadcasti32x2 vbroadcasti32x4 vbroadcasti32x8 "
    "vbroadcasti64x2 vbroadcasti64x4 vcompresspd vcompressps vcvtpd2qq vcvtpd2udq vcvtpd2uqq "
    "vcvtps2qq vcvtps2udq vcvtps2uqq vcvtqq2pd vcvtqq2ps vcvtsd2usi vcvtss2usi vcvttpd2qq "
    "vcvttpd2udq vcvttpd2uqq vcvttps2qq vcvttps2udq vcvttps2uqq vcvttsd2usi vcvttss2usi "
    "vcvtudq2pd vcvtudq2ps vcvtuqq2pd vcvtuqq2ps vcvtusi2sd vcvtusi2ss vdbpsadbw vexpandpd "
    "vexpandps vextractf32x4 vextractf32x8 vextractf64x2 vextractf64x4 vextracti32x4 "
    "vextracti32x8 vextracti64x2 vextracti64x4 vfixupimmpd vfixupimmps vfixupimmsd vfixupimmss "
    "vfpclasspd vfpclassps vfpclasssd vfpclassss vgetexppd vgetexpps vgetexpsd vgetexpss "
    "vgetmantpd vgetmantps vgetmantsd vgetmantss vinsertf32x4 vinsertf32x8 vinsertf64x2 "
    "vinsertf64x4 vinserti32x4 vinserti32x8 vinserti64x2 vinserti64x4 vmovdqa32 vmovdqa64 "
    "vmovdqu16 vmovdqu32 vmovdqu64 vmovdqu8 vpabsq vpandd vpandnd vpandnq vpandq vpblendmb "
    "vpblendmd vpblendmq vpblendmw vpbroadcastmb2q vpbroadcastmw2d vpcompressd vpcompressq "
    "vpconflictd vpconflictq vpermi2d vpermi2pd vpermi2ps vpermi2q vpermi2w vpermt2d vpermt2pd "
    "vpermt2ps vpermt2q vpermt2w vpermw vpexpandd vpexpandq vplzcntd vplzcntq vpmaxsq vpmaxuq "
    "vpminsq vpminuq vpmovb2m vpmovd2m vpmovdb vpmovdw vpmovm2b vpmovm2d vpmovm2q vpmovm2w "
    "vpmovq2m vpmovqb vpmovqd vpmovqw vpmovsdb vpmovsdw vpmovsqb vpmovsqd vpmovsqw vpmovswb "
    "vpmovusdb vpmovusdw vpmovusqb vpmovusqd vpmovusqw vpmovuswb vpmovw2m vpmovwb vpmullq vpord "
    "vporq vprold vprolq vprolvd vprolvq vprord vprorq vprorvd vprorvq vpscatterdd vpscatterdq "
    "vpscatterqd vpscatterqq vpsllvw vpsraq vpsravq vpsravw vpsrlvw vpternlogd vpternlogq "
    "vptestmb vptestmd vptestmq vptestmw vptestnmb vptestnmd vptestnmq vptestnmw vpxord vpxorq "
    "vrangepd vrangeps vrangesd vrangess vrcp14pd vrcp14ps vrcp14sd vrcp14ss vreducepd vreduceps "
    "vreducesd vreducess vrndscalepd vrndscaleps vrndscalesd vrndscaless vrsqrt14pd vrsqrt14ps "
    "vrsqrt14sd vrsqrt14ss vscalefpd vscalefps vscalefsd vscalefss vscatterdpd vscatterdps "
    "vscatterqpd vscatterqps vshuff32x4 vshuff64x2 vshufi32x4 vshufi64x2"
)
WITH_AVX2 = FUSED.union(_WITH_AVX2.split())
WITH_AVX512 = frozenset(_WITH_AVX512.split())


@functools.cache
def _level(name: str, *, wide: bool) -> str:
    compares = name.startswith("vpcmp") or (
        name.startswith("vcmp") and name.endswith(("pd", "ps", "sd", "ss"))
    )
    if name.startswith(MASKS) or (wide and name in WITH_AVX512):
        return AVX512
    if compares or name in WITH_AVX2:
        return AVX512 if wide else AVX
    return VECTORS


def level(name: str, code: bytes) -> str:
    """What a vector instruction needs, by its name and its bytes."""
    first = next((byte for byte in code if byte not in PREFIXES), 0)
    return _level(name, wide=first == EVEX)
