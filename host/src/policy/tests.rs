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
    let (g, said) = grants("");
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
    let (g, said) = grants("10.0.0.0/8");
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
    let (g, _) = grants("10.0.0.0/8:5432,127.0.0.1");
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
    let (g, _) = grants("listen:127.0.0.1:8080");
    assert_eq!(g.bind(addr("127.0.0.1:8080")), Ok(()));
    assert_eq!(g.listen(addr("127.0.0.1:8080"), 8080), Ok(()));
    assert_eq!(g.bind(addr("127.0.0.1:8081")), Err(Refused));
    assert_eq!(g.bind(addr("0.0.0.0:8080")), Err(Refused));
    assert_eq!(g.connect(addr("127.0.0.1:8080")), Err(Refused));
    let (g, _) = grants("listen:127.0.0.1:0");
    assert_eq!(g.listen(addr("127.0.0.1:49152"), 0), Ok(()));
    assert_eq!(g.listen(addr("127.0.0.1:8080"), 8080), Err(Refused));
    let (g, _) = grants("1.1.1.1:53");
    assert_eq!(g.bind(addr("0.0.0.0:0")), Ok(()));
    assert_eq!(g.listen(addr("0.0.0.0:49152"), 0), Err(Refused));
}

#[test]
fn a_name_grants_what_it_resolved_to() {
    let (g, _) = grants("example.com:443");
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
    let (g, _) = grants("*.example.com:443");
    assert_eq!(g.lookup("a.example.com", 0), Ok(()));
    assert_eq!(g.lookup("example.com", 0), Err(Refused));
    assert_eq!(g.lookup("aexample.com", 0), Err(Refused));
}

#[test]
fn rebinding_to_an_inner_address_fails() {
    let (g, said) = grants("evil.example:*");
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
        "100.100.100.200",
        "192.0.0.192",
        "192.168.1.1",
        "fec0::1",
        "::10.0.0.1",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1::10.0.0.1",
        "::ffff:0:10.0.0.1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "100::1",
        "2001:db8::1",
        "198.51.100.1",
        "192.88.99.1",
        "2a00:1450:4001:800:0:5efe:10.0.0.1",
        "2a00:1450:4001:800:200:5efe:127.0.0.1",
        "64:ff9b::198.18.0.1",
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
    // The same answer is allowed if the address is granted beside the name.
    let (g, _) = grants("db.example:5432,10.0.0.0/8:5432");
    let mut answers = vec!["10.0.0.1".parse().unwrap()];
    g.resolved("db.example", 5432, &mut answers);
    assert_eq!(answers.len(), 1);
    assert_eq!(g.connect(addr("10.0.0.1:5432")), Ok(()));
}

#[test]
fn localhost_is_the_loopback() {
    let (g, _) = grants("localhost:8080");
    assert_eq!(g.connect(addr("127.0.0.1:8080")), Ok(()));
    assert_eq!(g.connect(addr("[::1]:8080")), Ok(()));
    assert_eq!(g.connect(addr("127.0.0.1:80")), Err(Refused));
}

#[test]
fn names_of_the_guests_are_printable_and_no_rule_is_named_that_does_not_exist() {
    let (g, said) = grants("");
    for name in ["\x1b[31mred", "a\nwasio: all is well", "\u{202e}x", &"n".repeat(1000)] {
        assert_eq!(g.lookup(name, 80), Err(Refused));
    }
    let said = said.lock().unwrap();
    assert_eq!(said.len(), 4);
    for text in &*said {
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
        assert!(text.ends_with(", which is not a host name") && text.len() < 400, "{text}");
    }
    assert!(said[1].contains(r"look up a\nwasio: all is well,"), "{said:?}");
    assert!(said[3].contains("nnn… (744 more bytes)"), "{said:?}");
}

#[test]
fn many_refusals_are_counted() {
    let (g, said) = grants("");
    let stats = Stats::new();
    let g = g.counted(&stats);
    for _ in 0..2 {
        for i in 0..300 {
            assert_eq!(g.lookup(&format!("{i}.example"), 80), Err(Refused));
        }
    }
    assert_eq!(said.lock().unwrap().len(), MAX_REPORTS);
    assert_eq!(stats.snapshot().unreported_refusals, 2 * (300 - MAX_REPORTS as u64));
}

/// Each entry of the registries, with an address that is decided by this entry alone, and whether a name may resolve to
/// it.
const SPECIAL: [(&str, &str, bool); 62] = [
    ("everything else", "1.1.1.1", true),
    ("everything else", "223.255.255.255", true),
    ("\"This network\"", "0.1.2.3", false),
    ("\"This host on this network\"", "0.0.0.0", false),
    ("Private-Use", "10.255.255.255", false),
    ("Shared Address Space", "100.64.0.0", false),
    ("Loopback", "127.255.255.254", false),
    ("Link Local", "169.254.169.254", false),
    ("Private-Use", "172.31.255.255", false),
    ("IETF Protocol Assignments", "192.0.0.192", false),
    ("IPv4 Service Continuity Prefix", "192.0.0.7", false),
    ("IPv4 dummy address", "192.0.0.8", false),
    ("Port Control Protocol Anycast", "192.0.0.9", false),
    ("Traversal Using Relays around NAT Anycast", "192.0.0.10", false),
    ("NAT64/DNS64 Discovery", "192.0.0.170", false),
    ("NAT64/DNS64 Discovery", "192.0.0.171", false),
    ("Documentation (TEST-NET-1)", "192.0.2.255", false),
    ("AS112-v4", "192.31.196.1", true),
    ("AMT", "192.52.193.1", true),
    ("Deprecated (6to4 Relay Anycast)", "192.88.99.1", false),
    ("6a44-relay anycast address", "192.88.99.2", false),
    ("Private-Use", "192.168.0.0", false),
    ("Direct Delegation AS112 Service", "192.175.48.6", true),
    ("Benchmarking", "198.19.255.255", false),
    ("Documentation (TEST-NET-2)", "198.51.100.0", false),
    ("Documentation (TEST-NET-3)", "203.0.113.9", false),
    ("Multicast", "224.0.0.1", false),
    ("Documentation (MCAST-TEST-NET)", "233.252.0.1", false),
    ("Reserved", "240.0.0.1", false),
    ("Limited Broadcast", "255.255.255.255", false),
    ("everything else", "4000::1", false),
    ("Global Unicast", "2606:4700:4700::1111", true),
    ("Loopback Address", "::1", false),
    ("Unspecified Address", "::", false),
    ("Deprecated (IPv4-compatible Address)", "::8.8.8.8", false),
    ("IPv4-translated Address (SIIT)", "::ffff:0:8.8.8.8", false),
    ("IPv4-IPv6 Translat.", "64:ff9b::8.8.8.8", true),
    ("IPv4-IPv6 Translat. (local use)", "64:ff9b:1::8.8.8.8", false),
    ("Discard-Only Address Block", "100::1", false),
    ("Dummy IPv6 Prefix", "100:0:0:1::1", false),
    ("IETF Protocol Assignments", "2001:1ff::1", false),
    ("TEREDO", "2001:0:4136:e378:8000:63bf:f7f7:f7f7", false),
    ("Port Control Protocol Anycast", "2001:1::1", false),
    ("TURN Anycast", "2001:1::2", false),
    ("DNS-SD SRP Anycast", "2001:1::3", false),
    ("Benchmarking", "2001:2::1", false),
    ("AMT", "2001:3::1", true),
    ("AS112-v6", "2001:4:112::1", true),
    ("Deprecated (ORCHID)", "2001:1f::1", false),
    ("ORCHIDv2", "2001:2f::1", false),
    ("DETs Prefix", "2001:3f::1", false),
    ("Documentation", "2001:db8:ffff::1", false),
    ("6to4", "2002:808:808::1", false),
    ("Direct Delegation AS112 Service", "2620:4f:8000::6", true),
    ("Documentation", "3fff:fff::1", false),
    ("Segment Routing (SRv6) SIDs", "5f00::1", false),
    ("Unique-Local", "fdff::1", false),
    ("Link-Local Unicast", "febf::1", false),
    ("Deprecated (Site-Local)", "feff::1", false),
    ("Multicast", "ff02::1", false),
    // Decided by the address inside, not by the registry.
    ("IPv4-mapped Address", "::ffff:8.8.8.8", true),
    ("IPv4-mapped Address", "::ffff:192.0.0.192", false),
];

#[test]
fn every_entry_of_the_registries_is_decided_about() {
    for (entry, text, allowed) in SPECIAL {
        let ip: IpAddr = text.parse().unwrap();
        let entries: Vec<_> = match ip {
            IpAddr::V4(ip) => {
                let found = special::IPV4.iter().filter(|(net, ..)| net.contains(&ip));
                found.map(|(net, name, _)| (net.prefix_len(), *name)).collect()
            }
            IpAddr::V6(ip) => {
                let found = special::IPV6.iter().filter(|(net, ..)| net.contains(&ip));
                found.map(|(net, name, _)| (net.prefix_len(), *name)).collect()
            }
        };
        assert_eq!(entries.iter().max().map(|(_, name)| *name), Some(entry), "{text}");
        let (g, _) = grants("a.example:*");
        let mut answers = vec![ip];
        g.resolved("a.example", 80, &mut answers);
        assert_eq!(answers.len(), usize::from(allowed), "{text}");
        assert_eq!(g.connect((ip, 80).into()).is_ok(), allowed, "{text}");
    }
    let names = special::IPV4.iter().map(|e| e.1).chain(special::IPV6.iter().map(|e| e.1));
    for name in names {
        assert!(SPECIAL.iter().any(|(entry, ..)| *entry == name), "no address of {name}");
    }
}

/// The neighbours of special addresses are not special.
#[test]
fn what_is_next_to_the_special_is_not() {
    for text in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.0.0.1",
        "128.0.0.1",
        "169.253.0.1",
        "169.255.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.0.3.1",
        "192.88.98.1",
        "192.88.100.1",
        "192.167.0.1",
        "192.169.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "198.51.99.1",
        "198.51.101.1",
        "203.0.112.1",
        "203.0.114.1",
        "2001:200::1",
        "2001:db7::1",
        "2001:db9::1",
        "2003::1",
        "3ffe::1",
        "64:ff9b::1.1.1.1",
        "2a00:1450:4001:800:0:5efe:1.1.1.1",
    ] {
        assert!(special::is_global(text.parse().unwrap()), "{text}");
    }
    for text in ["64:ff9b:0:0:0:1::", "1fff::1", "::1:0:0:0", "64:ff9a::1.1.1.1", "fbff::1"] {
        assert!(!special::is_global(text.parse().unwrap()), "{text}");
    }
}

/// A rule about IPv4 also applies to IPv4 written as IPv6, in whichever form either is written.
#[test]
fn rules_see_through_ipv4_mapped_addresses() {
    for rule in ["10.0.0.0/8:80", "[::ffff:10.0.0.0]/104:80", "[::ffff:10.1.2.3]:80"] {
        let (g, _) = grants(rule);
        assert_eq!(g.connect(addr("10.1.2.3:80")), Ok(()), "{rule}");
        assert_eq!(g.connect(addr("[::ffff:10.1.2.3]:80")), Ok(()), "{rule}");
        assert_eq!(g.connect(addr("11.1.2.3:80")), Err(Refused), "{rule}");
    }
    for rule in ["listen:127.0.0.1:80", "listen:[::ffff:127.0.0.1]:80"] {
        let (g, _) = grants(rule);
        assert_eq!(g.bind(addr("[::ffff:127.0.0.1]:80")), Ok(()), "{rule}");
        assert_eq!(g.bind(addr("127.0.0.1:80")), Ok(()), "{rule}");
    }
    // A grant of all of IPv6 does not grant IPv4.
    assert_eq!(grants("::/0").0.connect(addr("[::ffff:10.1.2.3]:80")), Err(Refused));
}

#[test]
fn only_a_server_hears_everybody() {
    let (g, said) = grants("10.0.0.1:53,listen:127.0.0.1:80");
    assert!(g.admits(addr("10.0.0.1:53")));
    assert!(g.admits(addr("[::ffff:10.0.0.1]:53")));
    assert!(!g.admits(addr("10.0.0.1:54")));
    assert!(!g.admits(addr("10.0.0.2:53")));
    assert!(g.serves(addr("127.0.0.1:80"), 80));
    assert!(!g.serves(addr("0.0.0.0:0"), 0));
    assert!(said.lock().unwrap().is_empty());
}
