//! How good and bad messages are read.

use std::net::IpAddr;

use super::message::{Kind, Name, Question, Reading, Reply};

const ID: u16 = 0x1234;
/// Response, recursion desired and available.
const ANSWER: u16 = 0x8180;
const TRUNCATED: u16 = 0x0200;
const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// A name in wire format, written by hand, so that the tests do not rely on the code under test.
fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    [wire(owner), numbers(&[kind, 1, 0, 60, data.len() as u16]), data.to_vec()].concat()
}

fn answer(flags: u16, question: (&str, u16), records: &[Vec<u8>]) -> Vec<u8> {
    let header = numbers(&[ID, flags, 1, records.len() as u16, 0, 0]);
    [header, wire(question.0), numbers(&[question.1, 1]), records.concat()].concat()
}

fn read(bytes: &[u8]) -> Reading {
    Question::new(ID, Kind::V4, &name("host.test")).read(bytes)
}

fn addrs(ips: &[[u8; 4]]) -> Reading {
    Reading::Reply(Reply::Addrs(ips.iter().map(|&ip| IpAddr::V4(ip.into())).collect()))
}

#[test]
fn the_question() {
    let expected =
        [numbers(&[ID, 0x0100, 1, 0, 0, 0]), wire("host.test"), numbers(&[AAAA, 1])].concat();
    assert_eq!(Question::new(ID, Kind::V6, &name("host.test.")).message(), expected);
}

#[test]
fn names_that_no_server_knows() {
    let long = "a".repeat(64);
    for text in ["", ".", "..", "a..b", ".a", &long, &"abc.".repeat(64)] {
        assert_eq!(Name::new(text), None, "{text:?}");
    }
    for text in ["a", "a.", "_sip._tcp.x", &long[1..], &"abc.".repeat(63)] {
        assert!(Name::new(text).is_some(), "{text:?}");
    }
    // The longest name takes all the room there is.
    let longest = name(&"abc.".repeat(63));
    assert_eq!(Question::new(ID, Kind::V4, &longest).message().len(), 12 + 253 + 4);
}

#[test]
fn addresses_of_the_name_and_of_nobody_else() {
    let records = [
        record("host.test", A, &[10, 0, 0, 1]),
        record("other.test", A, &[10, 0, 0, 66]),
        record("HOST.test", A, &[10, 0, 0, 2]),
        record("host.test", AAAA, &[0; 16]),
        record("host.test", 16, b"\x04text"),
    ];
    let said = read(&answer(ANSWER, ("Host.TEST", A), &records));
    assert_eq!(said, addrs(&[[10, 0, 0, 1], [10, 0, 0, 2]]));
    assert_eq!(read(&answer(ANSWER, ("host.test", A), &[])), addrs(&[]));
}

#[test]
fn ipv6() {
    let one: [u8; 16] = std::net::Ipv6Addr::LOCALHOST.octets();
    let bytes = answer(ANSWER, ("host.test", AAAA), &[record("host.test", AAAA, &one)]);
    let said = Question::new(ID, Kind::V6, &name("host.test")).read(&bytes);
    assert_eq!(said, Reading::Reply(Reply::Addrs(vec!["::1".parse().unwrap()])));
}

#[test]
fn aliases_in_any_order() {
    let records = [
        record("c.test", A, &[10, 0, 0, 3]),
        record("b.test", CNAME, &wire("c.test")),
        record("host.test", CNAME, &wire("b.test")),
    ];
    let said = read(&answer(ANSWER, ("host.test", A), &records));
    assert_eq!(said, addrs(&[[10, 0, 0, 3]]));
    // An alias of a name without an address.
    let said = read(&answer(ANSWER, ("host.test", A), &records[1..]));
    assert_eq!(said, addrs(&[]));
    // The name is compressed: it refers to the question's.
    let mut compressed = answer(ANSWER, ("host.test", A), &[]);
    compressed[7] = 1;
    compressed.extend([0xc0, 12]);
    compressed.extend([numbers(&[A, 1, 0, 60, 4]), vec![10, 0, 0, 4]].concat());
    assert_eq!(read(&compressed), addrs(&[[10, 0, 0, 4]]));
}

#[test]
fn aliases_in_a_circle() {
    let records =
        [record("host.test", CNAME, &wire("b.test")), record("b.test", CNAME, &wire("host.test"))];
    let said = read(&answer(ANSWER, ("host.test", A), &records));
    assert_eq!(said, Reading::Reply(Reply::Failed("it sent what cannot be read")));
}

#[test]
fn other_answers() {
    let question = ("host.test", A);
    assert_eq!(read(&answer(ANSWER | 3, question, &[])), Reading::Reply(Reply::NoName));
    assert_eq!(read(&answer(ANSWER | TRUNCATED, question, &[])), Reading::Truncated);
    let fails = |bytes: &[u8]| matches!(read(bytes), Reading::Reply(Reply::Failed(_)));
    for rcode in [1, 2, 4, 5, 9, 15] {
        assert!(fails(&answer(ANSWER | rcode, question, &[])), "{rcode}");
    }
    // Some servers refuse without repeating the question. No other answer is accepted without it.
    assert!(fails(&numbers(&[ID, ANSWER | 5, 0, 0, 0, 0])));
    for flags in [ANSWER, ANSWER | 3] {
        assert_eq!(read(&numbers(&[ID, flags, 0, 0, 0, 0])), Reading::Unrelated);
    }
    // No recursion, no authority and no address: a referral.
    assert!(fails(&answer(0x8100, question, &[])));
    assert_eq!(read(&answer(0x8500, question, &[])), addrs(&[]));
}

#[test]
fn what_is_no_answer_to_the_question() {
    let records = [record("host.test", A, &[10, 0, 0, 1])];
    let good = answer(ANSWER, ("host.test", A), &records);
    assert_eq!(read(&good), addrs(&[[10, 0, 0, 1]]));
    let mut another_id = good.clone();
    another_id[1] ^= 1;
    let mut a_question = good.clone();
    a_question[2] &= 0x7f;
    let mut an_update = good.clone();
    an_update[2] |= 5 << 3;
    let mut two_questions = good.clone();
    two_questions[5] = 2;
    let others = [
        another_id,
        a_question,
        an_update,
        two_questions,
        answer(ANSWER, ("hosts.test", A), &records),
        answer(ANSWER, ("host.test", AAAA), &records),
        good[..11].to_vec(),
        good[..20].to_vec(),
        Vec::new(),
    ];
    for bytes in others {
        assert_eq!(read(&bytes), Reading::Unrelated, "{bytes:x?}");
    }
}

/// Good messages with some bytes changed, cut at any place. Reading them never panics.
#[test]
fn garbage_is_read_without_a_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let records = [
        record("host.test", CNAME, &wire("b.test")),
        record("b.test", A, &[10, 0, 0, 3]),
        record("b.test", 16, b"\x04text"),
    ];
    let mut compressed = answer(ANSWER, ("host.test", A), &records);
    compressed[7] += 1;
    compressed.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 2, 0xc0, 12]);
    let mut addresses = 0;
    for _ in 0..if cfg!(miri) { 200 } else { 50_000 } {
        let mut bytes = compressed.clone();
        for _ in 0..random(8) {
            let at = random(bytes.len());
            // Numbers with a meaning: lengths, pointers, the largest.
            bytes[at] = [0, 1, 4, 0x3f, 0x40, 0xc0, 0xff, random(256) as u8][random(8)];
        }
        if random(4) == 0 {
            bytes.truncate(random(bytes.len() + 1));
        }
        if let Reading::Reply(Reply::Addrs(found)) = read(&bytes) {
            addresses += found.len();
        }
    }
    assert!(addresses > 0, "nothing was ever understood");
    for _ in 0..10_000 {
        let bytes: Vec<u8> = (0..random(64)).map(|_| random(256) as u8).collect();
        assert_eq!(read(&bytes), Reading::Unrelated);
    }
}
