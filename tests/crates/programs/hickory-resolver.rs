//! Looks names up: over UDP, over TCP when an answer was too long for UDP, and out of the cache.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, TXT};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// What the server says to a question. Over UDP it says of a long answer that it is too long.
fn answer(question: &[u8], over_udp: bool) -> Vec<u8> {
    let asked = Message::from_vec(question).unwrap();
    let query = asked.queries[0].clone();
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    answer.add_query(query.clone());
    let mut add = |data| {
        answer.add_answer(Record::from_rdata(query.name.clone(), 60, data));
    };
    match (query.name.to_ascii().as_str(), query.query_type) {
        ("www.example.test.", RecordType::A) => {
            add(RData::A(A(Ipv4Addr::new(192, 0, 2, 1))));
            add(RData::A(A(Ipv4Addr::new(192, 0, 2, 2))));
        }
        ("www.example.test.", _) => {}
        ("long.example.test.", _) if over_udp => answer.metadata.truncation = true,
        ("long.example.test.", RecordType::TXT) => {
            for number in 0..40 {
                add(RData::TXT(TXT::new(vec![format!("{number:0100}")])));
            }
        }
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    answer.to_vec().unwrap()
}

/// Answers over UDP and TCP at one port; counts the questions.
async fn serve() -> (SocketAddr, Arc<AtomicU32>) {
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = udp.local_addr().unwrap();
    let tcp = TcpListener::bind(address).await.unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, from)) = udp.recv_from(&mut question).await {
            counted.fetch_add(1, Ordering::Relaxed);
            udp.send_to(&answer(&question[..length], true), from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            tokio::spawn(async move {
                while let Ok(length) = stream.read_u16().await {
                    let mut question = vec![0; length.into()];
                    stream.read_exact(&mut question).await.unwrap();
                    let answer = answer(&question, false);
                    stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    (address, asked)
}

#[tokio::main]
async fn main() {
    let (address, asked) = serve().await;
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    let server = NameServerConfig::new(address.ip(), true, connections.into());
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let resolver = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let resolver = resolver.build().unwrap();

    let found = resolver.lookup_ip("www.example.test.").await.unwrap();
    let mut found: Vec<IpAddr> = found.iter().collect();
    found.sort();
    assert_eq!(found, [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)]);

    let before = asked.load(Ordering::Relaxed);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let resolver = resolver.clone();
            tokio::spawn(async move { resolver.ipv4_lookup("www.example.test.").await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().answers().len(), 2);
    }
    assert_eq!(asked.load(Ordering::Relaxed), before, "all of it is in the cache");

    let long = resolver.txt_lookup("long.example.test.").await.unwrap();
    assert_eq!(long.answers().len(), 40);
    let nothing = resolver.lookup_ip("nothing.example.test.").await.unwrap_err();
    assert!(nothing.is_nx_domain(), "{nothing}");
    println!("ok");
}
