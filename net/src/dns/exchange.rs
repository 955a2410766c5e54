//! Asks one server for one name: for both kinds of address at once over UDP, and over TCP if the answer is too long.

use std::collections::hash_map::RandomState;
use std::future::{Future, poll_fn};
use std::hash::BuildHasher;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::task::Poll;

use wasio_runtime::io::Interest;
use wasio_runtime::time::{Instant, sleep_anyway};

use super::message::{Kind, Name, Question, Reading, Reply};
use crate::error;
use crate::registered::Registered;
use crate::sys::{Family, Kind as SocketKind, Socket};

/// A server may send a datagram of at most 512 bytes to a client that has not announced more. Some servers send more.
const DATAGRAM: usize = 4096;

/// Asks a server. Returns `Failed` if no answer was usable. An error means that the server could not be asked, or did
/// not answer in time.
pub(super) async fn ask(server: SocketAddr, name: &Name, deadline: Instant) -> io::Result<Reply> {
    // The keys are the host's random numbers, so the hash cannot be guessed.
    let random = RandomState::new().hash_one(0u8);
    let questions = [(random as u16, Kind::V4), ((random >> 16) as u16, Kind::V6)]
        .map(|(id, kind)| Question::new(id, kind, name));
    let mut replies = [None, None];

    let socket = datagrams(server).map_err(error::connect(server))?;
    let messages = questions.each_ref().map(Question::message);
    for message in &messages {
        let send = socket.async_io(Interest::WRITABLE, |socket| socket.send(message));
        until(deadline, send).await?.map_err(error::connect(server))?;
    }
    let mut buf = vec![0; DATAGRAM];
    while replies.contains(&None) {
        let receive = socket.async_io(Interest::READABLE, |socket| socket.recv_from(&mut buf));
        let (n, from): (usize, SocketAddr) = match until(deadline, receive).await {
            Ok(received) => received.map_err(error::connect(server))?,
            // Half an answer is better than none.
            Err(_) if has_address(&replies) => break,
            Err(silence) => return Err(silence),
        };
        // A connected socket receives from no other sender, but a host might not enforce that.
        if (from.ip(), from.port()) != (server.ip(), server.port()) {
            continue;
        }
        for ((question, reply), message) in questions.iter().zip(&mut replies).zip(&messages) {
            if reply.is_some() {
                continue;
            }
            match question.read(&buf[..n]) {
                Reading::Unrelated => {}
                Reading::Reply(said) => *reply = Some(said),
                Reading::Truncated => {
                    let stream = over_tcp(server, question, message);
                    *reply = Some(until(deadline, stream).await??);
                }
            }
        }
    }
    Ok(together(replies))
}

/// Returns a socket that exchanges messages with the server only.
fn datagrams(server: SocketAddr) -> io::Result<Registered> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = Socket::open(Family::of(server), SocketKind::Datagram)?;
    // Each question has a port of its own: one more value that a forger has to guess.
    socket.bind(SocketAddr::new(any, 0))?;
    let socket = Registered::unread(socket)?;
    socket.set_peer(server)?;
    Ok(socket)
}

/// Asks the same question over TCP, where each message follows its length.
async fn over_tcp(
    server: SocketAddr,
    question: &Question<'_>,
    message: &[u8],
) -> io::Result<Reply> {
    let exchange = async {
        let socket = Socket::open(Family::of(server), SocketKind::Stream)?;
        let stream = Registered::connect(socket, server).await?;
        write_all(&stream, &[&(message.len() as u16).to_be_bytes(), message].concat()).await?;
        let mut len = [0; 2];
        read_exact(&stream, &mut len).await?;
        let mut answer = vec![0; u16::from_be_bytes(len).into()];
        read_exact(&stream, &mut answer).await?;
        io::Result::Ok(answer)
    };
    let answer = exchange.await.map_err(error::connect(server))?;
    Ok(match question.read(&answer) {
        Reading::Reply(reply) => reply,
        _ => Reply::Failed("it sent what cannot be read"),
    })
}

async fn write_all(stream: &Registered, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = stream.async_io(Interest::WRITABLE, |socket| socket.send(bytes)).await?;
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[n..];
    }
    Ok(())
}

async fn read_exact(stream: &Registered, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        let n = stream.async_io(Interest::READABLE, |socket| socket.recv(buf)).await?;
        if n == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "early eof"));
        }
        buf = &mut buf[n..];
    }
    Ok(())
}

fn has_address(replies: &[Option<Reply>]) -> bool {
    replies.iter().any(|reply| matches!(reply, Some(Reply::Addrs(found)) if !found.is_empty()))
}

/// Combines both replies: the addresses if there are any, otherwise a failure, otherwise what is missing.
fn together(replies: [Option<Reply>; 2]) -> Reply {
    let found = has_address(&replies);
    let [v4, v6] = replies.map(|reply| reply.unwrap_or(Reply::Addrs(Vec::new())));
    match (v4, v6) {
        (Reply::Addrs(mut v4), Reply::Addrs(v6)) => {
            v4.extend(v6);
            Reply::Addrs(v4)
        }
        (Reply::Addrs(addrs), _) | (_, Reply::Addrs(addrs)) if found => Reply::Addrs(addrs),
        (failed @ Reply::Failed(_), _) | (_, failed @ Reply::Failed(_)) => failed,
        _ => Reply::NoName,
    }
}

/// Returns the result of the future, if it is ready in time.
async fn until<F: Future>(deadline: Instant, future: F) -> io::Result<F::Output> {
    let (mut future, mut late) = (pin!(future), pin!(sleep_anyway(deadline)));
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        late.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}
