use std::sync::Mutex;

use super::*;

fn grants(rules: &str) -> (Grants, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let log = said.clone();
    let on_denied: OnDenied = Arc::new(move |d| log.lock().unwrap().push(d.to_string()));
    (Grants::new(Arc::new(rules.parse().unwrap()), Some(on_denied)), said)
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn nothing_is_granted_by_default() {
    let (mut g, said) = grants("");
    assert_eq!(g.connect(addr("1.1.1.1:53")), Err(Refused));
    assert_eq!(g.bind(addr("0.0.0.0:0")), Err(Refused));
    assert_eq!(g.listen(addr("127.0.0.1:4000"), 4000), Err(Refused));
    assert_eq!(g.lookup("example.com", 443), Err(Refused));
    let said = said.lock().unwrap();
    assert!(said[0].ends_with("--net 1.1.1.1:53"), "{said:?}");
    assert!(said[2].ends_with("--net listen:127.0.0.1:4000"), "{said:?}");
    assert!(said[3].ends_with("--net example.com:443"), "{said:?}");
}

#[test]
fn a_refusal_names_a_rule_that_helps_and_is_said_once() {
    let (mut g, said) = grants("10.0.0.0/8");
    for _ in 0..3 {
        assert_eq!(g.connect(addr("[::1]:80")), Err(Refused));
    }
    let said = said.lock().unwrap().clone();
    assert_eq!(said.len(), 1);
    let rule = said[0].rsplit("--net ").next().unwrap();
    assert_eq!(grants(rule).0.connect(addr("[::1]:80")), Ok(()));
}

#[test]
fn addresses_and_networks() {
    let (mut g, _) = grants("10.0.0.0/8:5432,127.0.0.1");
    assert_eq!(g.connect(addr("10.9.8.7:5432")), Ok(()));
    assert_eq!(g.connect(addr("[::ffff:10.9.8.7]:5432")), Ok(()));
    assert_eq!(g.connect(addr("10.9.8.7:5433")), Err(Refused));
    assert_eq!(g.connect(addr("11.0.0.1:5432")), Err(Refused));
    assert_eq!(g.connect(addr("127.0.0.1:9")), Ok(()));
    // 0.0.0.0 reaches the loopback interface.
    assert_eq!(g.connect(addr("0.0.0.0:9")), Ok(()));
    assert_eq!(grants("8.8.8.8").0.connect(addr("0.0.0.0:9")), Err(Refused));
}

#[test]
fn listening() {
    let (mut g, _) = grants("listen:127.0.0.1:8080");
    assert_eq!(g.bind(addr("127.0.0.1:8080")), Ok(()));
    assert_eq!(g.listen(addr("127.0.0.1:8080"), 8080), Ok(()));
    assert_eq!(g.bind(addr("127.0.0.1:8081")), Err(Refused));
    assert_eq!(g.bind(addr("0.0.0.0:8080")), Err(Refused));
    assert_eq!(g.connect(addr("127.0.0.1:8080")), Err(Refused));
    let (mut g, _) = grants("listen:127.0.0.1:0");
    assert_eq!(g.listen(addr("127.0.0.1:49152"), 0), Ok(()));
    assert_eq!(g.listen(addr("127.0.0.1:8080"), 8080), Err(Refused));
    let (mut g, _) = grants("1.1.1.1:53");
    assert_eq!(g.bind(addr("0.0.0.0:0")), Ok(()));
    assert_eq!(g.listen(addr("0.0.0.0:49152"), 0), Err(Refused));
}

#[test]
fn a_name_grants_what_it_resolved_to() {
    let (mut g, _) = grants("example.com:443");
    let public: IpAddr = "93.184.216.34".parse().unwrap();
    assert_eq!(g.connect((public, 443).into()), Err(Refused));
    assert_eq!(g.lookup("EXAMPLE.com.", 443), Ok(()));
    let mut answers = vec![public];
    g.resolved("example.com", 443, &mut answers);
    assert_eq!(answers, [public]);
    assert_eq!(g.connect((public, 443).into()), Ok(()));
    assert_eq!(g.connect((public, 80).into()), Err(Refused));
    assert_eq!(g.lookup("example.org", 443), Err(Refused));
    assert_eq!(g.lookup("a.example.com", 443), Err(Refused));
    let (mut g, _) = grants("*.example.com:443");
    assert_eq!(g.lookup("a.example.com", 0), Ok(()));
    assert_eq!(g.lookup("example.com", 0), Err(Refused));
    assert_eq!(g.lookup("aexample.com", 0), Err(Refused));
}

#[test]
fn rebinding_to_an_inner_address_fails() {
    let (mut g, said) = grants("evil.example:*");
    let mut answers: Vec<IpAddr> = [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "100.64.0.1",
    ]
    .map(|ip| ip.parse().unwrap())
    .to_vec();
    let all = answers.clone();
    g.resolved("evil.example", 80, &mut answers);
    assert_eq!(answers, Vec::<IpAddr>::new());
    for ip in all {
        assert_eq!(g.connect((ip, 80).into()), Err(Refused), "{ip}");
    }
    assert!(said.lock().unwrap()[0].ends_with("--net 127.0.0.1:80"));
    // Granted beside the name, the same answer is fine.
    let (mut g, _) = grants("db.example:5432,10.0.0.0/8:5432");
    let mut answers = vec!["10.0.0.1".parse().unwrap()];
    g.resolved("db.example", 5432, &mut answers);
    assert_eq!(answers.len(), 1);
    assert_eq!(g.connect(addr("10.0.0.1:5432")), Ok(()));
}

#[test]
fn localhost_is_the_loopback() {
    let (mut g, _) = grants("localhost:8080");
    assert_eq!(g.connect(addr("127.0.0.1:8080")), Ok(()));
    assert_eq!(g.connect(addr("[::1]:8080")), Ok(()));
    assert_eq!(g.connect(addr("127.0.0.1:80")), Err(Refused));
}

#[test]
fn names_of_the_guests_are_printable_and_no_rule_is_named_that_does_not_exist() {
    let (mut g, said) = grants("");
    for name in ["\x1b[31mred", "a\nwasio: all is well", "\u{202e}x", &"n".repeat(1000)] {
        assert_eq!(g.lookup(name, 80), Err(Refused));
    }
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 4);
    for text in &*said {
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
        assert!(text.ends_with(", which is no host name") && text.len() < 400, "{text}");
    }
    assert!(said[1].contains(r"look up a\nwasio: all is well,"), "{said:?}");
    assert!(said[3].contains("nnn… (744 more bytes)"), "{said:?}");
}

#[test]
fn many_refusals_are_counted() {
    let (g, said) = grants("");
    let stats = Stats::new();
    let mut g = g.counted(&stats);
    for _ in 0..2 {
        for i in 0..300 {
            assert_eq!(g.lookup(&format!("{i}.example"), 80), Err(Refused));
        }
    }
    assert_eq!(said.lock().unwrap().len(), MAX_REPORTS);
    assert_eq!(stats.snapshot().unreported_refusals, 2 * (300 - MAX_REPORTS as u64));
}
