//! Documents inserted, found over several batches, and deleted, with a server of a few commands.

use futures_util::TryStreamExt;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OP_MSG: i32 = 2013;
const CURSOR: i64 = 7;

type Store = Arc<Mutex<BTreeMap<i32, Document>>>;

/// The command, and the documents of its sequences.
fn parse(mut body: &[u8]) -> (Document, Vec<Document>) {
    let mut sequence = Vec::new();
    let mut command = None;
    body = &body[4..]; // flags
    while let Some((kind, rest)) = body.split_first() {
        body = rest;
        if *kind == 0 {
            command = Some(Document::from_reader(&mut body).unwrap());
            continue;
        }
        let len = i32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
        let (mut section, rest) = body.split_at(len);
        let name = section[4..].iter().position(|byte| *byte == 0).unwrap();
        section = &section[4 + name + 1..];
        while !section.is_empty() {
            sequence.push(Document::from_reader(&mut section).unwrap());
        }
        body = rest;
    }
    (command.unwrap(), sequence)
}

fn answer(store: &Store, command: &Document, sequence: Vec<Document>) -> Document {
    let mut store = store.lock().unwrap();
    let batch = |from: i32, most: usize| -> Vec<Document> {
        store.range(from..).take(most).map(|(_, document)| document.clone()).collect()
    };
    match command.keys().next().unwrap().as_str() {
        "isMaster" | "hello" => doc! {
            "ok": 1, "ismaster": true, "isWritablePrimary": true, "helloOk": true, "readOnly": false,
            "maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 1000,
            "minWireVersion": 0, "maxWireVersion": 25,
        },
        "insert" => {
            let n = sequence.len() as i32;
            store.extend(sequence.into_iter().map(|one| (one.get_i32("_id").unwrap(), one)));
            doc! { "ok": 1, "n": n }
        }
        "find" => {
            let first = batch(0, command.get_i32("batchSize").unwrap() as usize);
            doc! { "ok": 1, "cursor": { "id": CURSOR, "ns": "shop.fruit", "firstBatch": first } }
        }
        "getMore" => {
            assert_eq!(command.get_i64("getMore").unwrap(), CURSOR);
            doc! { "ok": 1, "cursor": { "id": 0_i64, "ns": "shop.fruit", "nextBatch": batch(8, 1000) } }
        }
        "delete" => {
            let n = store.len() as i32;
            store.clear();
            doc! { "ok": 1, "n": n }
        }
        "ping" | "endSessions" => doc! { "ok": 1 },
        other => doc! { "ok": 0, "code": 59, "codeName": "CommandNotFound", "errmsg": other },
    }
}

async fn serve(mut stream: TcpStream, store: Store) -> std::io::Result<()> {
    loop {
        let len = stream.read_i32_le().await?;
        let id = stream.read_i32_le().await?;
        let _response_to = stream.read_i32_le().await?;
        assert_eq!(stream.read_i32_le().await?, OP_MSG);
        let mut body = vec![0; len as usize - 16];
        stream.read_exact(&mut body).await?;
        let (command, sequence) = parse(&body);
        let mut said = Vec::new();
        answer(&store, &command, sequence).to_writer(&mut said).unwrap();
        let mut reply = Vec::new();
        for number in [said.len() as i32 + 21, 1, id, OP_MSG, 0] {
            reply.extend_from_slice(&number.to_le_bytes());
        }
        reply.push(0);
        reply.append(&mut said);
        stream.write_all(&reply).await?;
    }
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = Store::default();
    tokio::spawn({
        let store = store.clone();
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, store.clone()));
            }
        }
    });

    let uri = format!("mongodb://{address}/?directConnection=true");
    let client = Client::with_uri_str(uri).await.unwrap();
    let shop = client.database("shop");
    assert_eq!(shop.run_command(doc! { "ping": 1 }).await.unwrap().get_i32("ok").unwrap(), 1);
    let fruit = shop.collection::<Document>("fruit");
    let many = (0..20).map(|n| doc! { "_id": n, "name": format!("apple {n}") });
    assert_eq!(fruit.insert_many(many).await.unwrap().inserted_ids.len(), 20);
    let single: Vec<_> = (20..30)
        .map(|n| {
            let fruit = fruit.clone();
            tokio::spawn(async move { fruit.insert_one(doc! { "_id": n, "name": "pear" }).await })
        })
        .collect();
    for one in single {
        one.await.unwrap().unwrap();
    }
    let found = fruit.find(doc! {}).batch_size(8).await.unwrap();
    let found: Vec<Document> = found.try_collect().await.unwrap();
    assert_eq!(found.len(), 30);
    assert_eq!(found[12].get_str("name").unwrap(), "apple 12");
    assert_eq!(found[29].get_str("name").unwrap(), "pear");
    let unknown = shop.run_command(doc! { "nothing": 1 }).await.unwrap_err();
    assert!(unknown.to_string().contains("CommandNotFound"), "{unknown}");
    assert_eq!(fruit.delete_many(doc! {}).await.unwrap().deleted_count, 30);
    assert!(store.lock().unwrap().is_empty());
    println!("ok");
}
