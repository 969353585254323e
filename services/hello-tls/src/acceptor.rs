//! What the server agrees to in a handshake.

use openssl::error::ErrorStack;
use openssl::ssl::{
    AlpnError, SslAcceptor, SslAcceptorBuilder, SslMethod, SslVersion, select_next_proto,
};

use crate::identity::Identity;

/// In the wire form of ALPN: each name after its length.
const PROTOCOLS: &[u8] = b"\x08http/1.1";

pub(crate) fn presenting(identity: &Identity) -> Result<SslAcceptor, ErrorStack> {
    Ok(builder(identity)?.build())
}

fn builder(identity: &Identity) -> Result<SslAcceptorBuilder, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_alpn_select_callback(|_, offered| {
        select_next_proto(PROTOCOLS, offered).ok_or(AlpnError::ALERT_FATAL)
    });
    present(&mut builder, identity)?;
    Ok(builder)
}

fn present(builder: &mut SslAcceptorBuilder, identity: &Identity) -> Result<(), ErrorStack> {
    let mut chain = identity.chain.iter();
    if let Some(own) = chain.next() {
        builder.set_certificate(own)?;
    }
    for issuer in chain {
        builder.add_extra_chain_cert(issuer.clone())?;
    }
    builder.set_private_key(&identity.key)?;
    builder.check_private_key()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity;

    #[test]
    fn tls_1_2_is_the_oldest_version() {
        let identity = identity::self_signed().expect("an identity");
        let mut builder = builder(&identity).expect("a builder");
        assert_eq!(builder.min_proto_version(), Some(SslVersion::TLS1_2));
        assert_eq!(builder.max_proto_version(), None);
    }
}
