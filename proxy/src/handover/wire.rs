//! What is said, and how sockets travel with it (`SCM_RIGHTS`, unix(7)).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use super::HandoverError;

/// The version of this is in the first word that is said.
pub(super) const HELLO: &str = "palisade 1\n";
pub(super) const SERVING: &str = "serving\n";
pub(super) const DRAINING: &str = "draining\n";

/// Sockets in one message; the kernel's bound is 253.
pub(super) const MOST: usize = 128;

/// Longer than any line of words.
pub(super) const LONGEST_LINE: usize = 64;

/// Longer than the labels of [`MOST`] sockets.
const LONGEST: usize = 16 * 1024;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// TLS.
    Https,
    /// Redirects.
    Http,
    /// Health and metrics.
    Admin,
}

/// A listening socket, and what the configuration said of it.
#[derive(Debug)]
pub struct Socket {
    /// What it is for.
    pub purpose: Purpose,
    /// The address of the configuration, where port 0 is any.
    pub address: SocketAddr,
    /// It.
    pub listener: TcpListener,
}

#[derive(Serialize, Deserialize)]
struct Label {
    purpose: Purpose,
    address: SocketAddr,
}

/// Sends all of `sockets` in one message.
pub(super) fn send(stream: BorrowedFd<'_>, sockets: &[Socket]) -> io::Result<()> {
    let labels: Vec<Label> = sockets
        .iter()
        .map(|socket| Label {
            purpose: socket.purpose,
            address: socket.address,
        })
        .collect();
    let mut line = serde_json::to_vec(&labels)?;
    line.push(b'\n');
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|socket| socket.listener.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("too many sockets"));
    }
    let sent = sendmsg(
        stream,
        &[IoSlice::new(&line)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?;
    match sent == line.len() {
        true => Ok(()),
        false => Err(io::ErrorKind::WriteZero.into()),
    }
}

/// Receives what [`send`] sent.
pub(super) fn receive(stream: BorrowedFd<'_>) -> Result<Vec<Socket>, HandoverError> {
    let (mut line, mut listeners) = (Vec::new(), Vec::new());
    while !line.ends_with(b"\n") {
        if line.len() > LONGEST {
            return Err(invalid("a message without an end").into());
        }
        receive_part(stream, &mut line, &mut listeners)?;
    }
    let labels: Vec<Label> = serde_json::from_slice(&line).map_err(|_| HandoverError::Version)?;
    if labels.len() != listeners.len() {
        return Err(invalid("not as many sockets as it said").into());
    }
    let sockets = labels.into_iter().zip(listeners).map(|(label, listener)| Socket {
        purpose: label.purpose,
        address: label.address,
        listener,
    });
    Ok(sockets.collect())
}

/// Reads a line into `line`, its end included, and not a byte more.
pub(super) async fn line(stream: &mut UnixStream, line: &mut String) -> io::Result<()> {
    while !line.ends_with('\n') {
        if line.len() >= LONGEST_LINE {
            return Err(invalid("a line without an end"));
        }
        line.push(char::from(stream.read_u8().await?));
    }
    Ok(())
}

fn receive_part(
    stream: BorrowedFd<'_>,
    line: &mut Vec<u8>,
    listeners: &mut Vec<TcpListener>,
) -> io::Result<()> {
    let mut bytes = [0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(stream, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.extend_from_slice(&bytes[..received.bytes]);
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            listeners.extend(descriptors.map(TcpListener::from));
        }
    }
    Ok(())
}

pub(super) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
