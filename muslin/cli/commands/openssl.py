"""3. Build OpenSSL, static."""

from muslin.cli.build import building

parser, run = building("openssl", "openssl", __doc__, examples=("armv6",))
