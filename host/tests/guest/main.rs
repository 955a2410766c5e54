//! One guest with many small programs: the first argument names one. Each
//! asserts what the imports promise, so that a broken promise is a trap.

mod abi;
mod armed;
mod datagrams;
mod poll;
mod sockets;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).map_or(0, |a| a.parse::<u16>().unwrap());
    let port = number(1);
    match args[0].as_str() {
        "echo-server" => sockets::echo_server(number(1)),
        "echo-client" => sockets::echo_client(port),
        "connect-refused" => sockets::connect_refused(port),
        "listen-after-refused" => sockets::listen_after_refused(port),
        "messages" => sockets::messages(number(1)),
        "shut-datagram" => sockets::shut_datagram(),
        "connect-nonblocking" => sockets::connect_nonblocking(port),
        "half-close" => sockets::half_close(port),
        "reset" => sockets::reset(port),
        "peek-and-waitall" => sockets::peek_and_waitall(port),
        "scattered" => sockets::scattered(port),
        "bulk" => sockets::bulk(port),
        "timeouts" => sockets::timeouts(port),
        "udp" => sockets::udp(),
        "hears" => datagrams::hears(port, &args[2]),
        "flooded" => datagrams::flooded(),
        "heard-by-all" => datagrams::heard_by_all(),
        "refused" => sockets::refused(),
        "ipv6" => sockets::ipv6(),
        "options" => sockets::options(),
        "numbers" => sockets::numbers(),
        "socket-limit" => sockets::socket_limit(number(1)),
        "lookup" => sockets::lookup(),
        "denied" => sockets::denied(port),
        "clocks" => poll::clocks(),
        "nothing" => poll::nothing(),
        "bad-subscriptions" => poll::bad_subscriptions(),
        "files" => poll::files(),
        "stdin" => poll::stdin(),
        "many" => poll::many(),
        "long" => poll::long(port),
        "level" => poll::level(port),
        "exact-read" => poll::exact_read(port),
        "fresh" => poll::fresh(port),
        "hang-up" => poll::hang_up(port),
        "listeners" => sockets::listeners(),
        "poll-closed" => poll::closed(),
        "poll-reset" => poll::reset(port),
        "signals" => poll::signals(),
        "armed-discovery" => armed::discovery(),
        "armed-once" => armed::once(),
        "armed-changes" => armed::changes(),
        "armed-closed" => armed::closed(),
        "armed-crowded" => armed::crowded(),
        "armed-mixed" => armed::mixed(port),
        "armed-drained" => armed::drained(port),
        "armed-trusted" => armed::trusted(port),
        "armed-connecting" => armed::connecting(port),
        "armed-idle" => armed::idle(),
        "armed-forever" => armed::forever(port),
        "idle-server" => poll::idle_server(number(1)),
        other => panic!("no program named {other}"),
    }
}
