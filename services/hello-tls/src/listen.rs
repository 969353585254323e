//! One socket for IPv4 and IPv6.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

const BACKLOG: i32 = 1024;

/// Listens on all addresses of both families, or on those of IPv4 where the kernel has no IPv6.
pub(crate) fn on_port(port: u16) -> io::Result<TcpListener> {
    bind((Ipv6Addr::UNSPECIFIED, port).into())
        .or_else(|_| bind((Ipv4Addr::UNSPECIFIED, port).into()))
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on port {port}: {error}"),
            )
        })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // The default is a sysctl of the host (net.ipv6.bindv6only).
        socket.set_only_v6(false)?;
    }
    // A restarted service must not wait for the connections of the last one to leave TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn takes_ipv4_and_ipv6() {
        let listener = on_port(0).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port())).expect("IPv4");
        if address.is_ipv6() && host_has_ipv6_loopback() {
            TcpStream::connect((Ipv6Addr::LOCALHOST, address.port())).expect("IPv6");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let first = on_port(0).expect("a free port");
        let port = first.local_addr().expect("a bound address").port();
        let error = on_port(port).expect_err("the port is taken");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(
            error.to_string().contains(&format!("port {port}")),
            "{error}"
        );
    }

    fn host_has_ipv6_loopback() -> bool {
        std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
    }
}
