//! `TCP_NODELAY` on the connection to the Lambda Runtime API.
//!
//! `lambda_runtime` offers no way to set it. Without it the head and the prelude of each streamed response are two
//! small writes, and Nagle's algorithm holds the second one for the peer's delayed ACK: some 40 ms on every reply.

use std::{
    fs,
    net::{SocketAddr, ToSocketAddrs},
    os::fd::{BorrowedFd, RawFd},
};

use socket2::SockRef;

/// The Runtime API's address.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeSocket {
    peers: Vec<SocketAddr>,
}

impl RuntimeSocket {
    /// From `AWS_LAMBDA_RUNTIME_API`, a `host:port`; cargo-lambda's has a scheme before and a path after it.
    pub(crate) fn from_env() -> Self {
        let address = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
        let address = address
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap_or_default();
        let peers = address.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        Self { peers }
    }

    /// Sets the option on every connection to the Runtime API that is open now. Called with each invocation, since
    /// the runtime's client may have connected anew.
    pub(crate) fn send_without_delay(&self) {
        let Ok(descriptors) = fs::read_dir("/proc/self/fd") else {
            return;
        };
        for descriptor in descriptors.flatten() {
            let is_socket = fs::read_link(descriptor.path())
                .is_ok_and(|target| target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
            let number = descriptor.file_name().to_str().and_then(|name| name.parse().ok());
            if let (true, Some(number)) = (is_socket, number) {
                self.set_option(number);
            }
        }
    }

    #[expect(
        unsafe_code,
        reason = "a descriptor of this process, found by number, has no owner to borrow from"
    )]
    fn set_option(&self, descriptor: RawFd) {
        // SAFETY: the descriptor was open a moment ago. Should another thread have closed it, the calls below fail;
        // should it by now be another socket, only one whose peer is the Runtime API is changed, and harmlessly.
        let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
        let socket = SockRef::from(&descriptor);
        let peer = socket.peer_addr().ok().and_then(|peer| peer.as_socket());
        if peer.is_some_and(|peer| self.peers.contains(&peer)) {
            let _ = socket.set_tcp_nodelay(true);
        }
    }
}
