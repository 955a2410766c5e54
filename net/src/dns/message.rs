//! DNS messages: writes a question, and reads the answer to it. No I/O.
//!
//! The wire format is the crate `domain`'s. This file has the rules of a stub resolver. Reading any bytes ends in one
//! of the variants of [`Reading`]. Nothing that a network sends may cause a panic, because a panic ends a guest.

use std::net::IpAddr;

use domain::base::iana::{Class, Opcode, Rcode, Rtype};
use domain::base::message::RecordIter;
use domain::base::name::ToName;
use domain::base::{Message, MessageBuilder, ParseRecordData};
use domain::dep::octseq::array::Array;
use domain::rdata::{A, Aaaa, Cname};

/// The maximum number of aliases that lead to an address.
const ALIASES: usize = 16;

/// A name in wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(domain::base::Name<Vec<u8>>);

impl Name {
    /// Returns `None` for an empty label, one of more than 63 bytes, or more than 255 bytes in all.
    pub(super) fn new(text: &str) -> Option<Name> {
        let mut wire = Vec::with_capacity(text.len() + 2);
        for label in text.strip_suffix('.').unwrap_or(text).split('.') {
            let length =
                u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?;
            wire.push(length);
            wire.extend_from_slice(label.as_bytes());
        }
        wire.push(0);
        domain::base::Name::from_octets(wire).ok().map(Name)
    }
}

/// The kind of address that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    V4,
    V6,
}

/// A question to a server.
pub(super) struct Question<'a> {
    id: u16,
    kind: Kind,
    name: &'a Name,
}

/// A server's reply to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The addresses, possibly none.
    Addrs(Vec<IpAddr>),
    /// The name does not exist.
    NoName,
    /// The server cannot or will not answer.
    Failed(&'static str),
}

/// The meaning of received bytes for a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Not an answer to it: it belongs to another question, is forged or late, or is no message at all.
    Unrelated,
    /// The answer does not fit into a datagram.
    Truncated,
    Reply(Reply),
}

impl<'a> Question<'a> {
    pub(super) fn new(id: u16, kind: Kind, name: &'a Name) -> Question<'a> {
        Question { id, kind, name }
    }

    fn rtype(&self) -> Rtype {
        match self.kind {
            Kind::V4 => Rtype::A,
            Kind::V6 => Rtype::AAAA,
        }
    }

    /// Returns the question as a message.
    pub(super) fn message(&self) -> Vec<u8> {
        // A header, a name of at most 255 bytes, type and class: these always fit.
        let room = "a question has room";
        let mut message =
            MessageBuilder::from_target(Array::<512>::default()).expect(room).question();
        message.header_mut().set_id(self.id);
        message.header_mut().set_rd(true);
        message.push((&self.name.0, self.rtype())).expect(room);
        message.as_slice().to_vec()
    }

    /// Reads `bytes` as an answer to this question.
    pub(super) fn read(&self, bytes: &[u8]) -> Reading {
        let Ok(message) = Message::from_slice(bytes) else { return Reading::Unrelated };
        let header = message.header();
        if header.id() != self.id || !header.qr() || header.opcode() != Opcode::QUERY {
            return Reading::Unrelated;
        }
        let rcode = header.rcode();
        // Some servers do not repeat the question when they refuse it.
        let bare = message.header_counts().qdcount() == 0
            && !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN);
        if !bare && !self.is_question_of(message) {
            return Reading::Unrelated;
        }
        if header.tc() {
            return Reading::Truncated;
        }
        Reading::Reply(match rcode {
            Rcode::NOERROR => match self.addresses(message) {
                None => Reply::Failed("it sent what cannot be read"),
                // The server knows which other servers to ask. A recursive resolver would ask them itself.
                Some(found) if found.is_empty() && !header.aa() && !header.ra() => {
                    Reply::Failed("it looks nothing up for others")
                }
                Some(found) => Reply::Addrs(found),
            },
            Rcode::NXDOMAIN => Reply::NoName,
            Rcode::SERVFAIL => Reply::Failed("it failed (SERVFAIL)"),
            Rcode::REFUSED => Reply::Failed("it refused (REFUSED)"),
            Rcode::FORMERR => Reply::Failed("it did not understand the question (FORMERR)"),
            Rcode::NOTIMP => Reply::Failed("it cannot answer such a question (NOTIMP)"),
            _ => Reply::Failed("it answered with an unusual error"),
        })
    }

    fn is_question_of(&self, message: &Message<[u8]>) -> bool {
        let mut questions = message.question();
        let (Some(Ok(question)), None) = (questions.next(), questions.next()) else { return false };
        question.qname().name_eq(&self.name.0)
            && question.qtype() == self.rtype()
            && question.qclass() == Class::IN
    }

    /// Follows the aliases to the addresses. Returns `None` if the message cannot be read or the aliases lead nowhere.
    fn addresses(&self, message: &Message<[u8]>) -> Option<Vec<IpAddr>> {
        let mut name = message.first_question()?.into_qname();
        for _ in 0..ALIASES {
            let found = match self.kind {
                Kind::V4 => of(message, &name, |a: A| a.addr().octets().into()),
                Kind::V6 => of(message, &name, |a: Aaaa| a.addr().octets().into()),
            }?;
            if !found.is_empty() {
                return Some(found);
            }
            let mut alias = None;
            for record in records::<Cname<_>>(message)? {
                let record = record.ok()?;
                if record.owner().name_eq(&name) {
                    alias = Some(record.into_data().into_cname());
                    break;
                }
            }
            match alias {
                Some(alias) => name = alias,
                None => return Some(Vec::new()),
            }
        }
        None
    }
}

fn records<'a, D: ParseRecordData<'a, [u8]>>(
    message: &'a Message<[u8]>,
) -> Option<RecordIter<'a, [u8], D>> {
    Some(message.answer().ok()?.limit_to_in())
}

/// Returns the addresses of `name` in the answer.
fn of<'a, D: ParseRecordData<'a, [u8]>>(
    message: &'a Message<[u8]>,
    name: &impl ToName,
    address: impl Fn(D) -> IpAddr,
) -> Option<Vec<IpAddr>> {
    let mut found = Vec::new();
    for record in records::<D>(message)? {
        let record = record.ok()?;
        if record.owner().name_eq(name) {
            found.push(address(record.into_data()));
        }
    }
    Some(found)
}
