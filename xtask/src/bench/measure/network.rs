//! A network of the benchmark's own: a namespace with nothing but a loopback device, where the congestion control is
//! chosen.
//!
//! Some machines use BBR, which limits a stream to the estimated bandwidth of the path. On loopback there is no path: a
//! gigabyte had between 2,000 and 4,500 MB/s within one minute, with every sender, and 5,000 to 6,800 with CUBIC. The
//! namespace needs Linux, `ip` and root. Elsewhere the machine's own network is used, and the page says so.

use std::rc::Rc;

/// A thread in the namespace, and the processes that it starts, can reach only each other. Threads begin outside.
pub(crate) struct Network {
    #[cfg(target_os = "linux")]
    own: Option<linux::Namespaces>,
    /// For the page.
    pub(crate) described: String,
}

/// Keeps the thread in the benchmark's network until it is dropped.
pub(crate) struct Inside(#[cfg_attr(not(target_os = "linux"), allow(dead_code))] Rc<Network>);

impl Network {
    pub(crate) fn new() -> Rc<Network> {
        #[cfg(target_os = "linux")]
        {
            let own = linux::Namespaces::new();
            let described = match &own {
                Some(own) => format!("loopback in a namespace, congestion control {}", own.control),
                None => format!("the machine's loopback, congestion control {}", linux::control()),
            };
            Rc::new(Network { own, described })
        }
        #[cfg(not(target_os = "linux"))]
        Rc::new(Network { described: "the machine's loopback".to_owned() })
    }

    pub(crate) fn enter(self: &Rc<Network>) -> Inside {
        #[cfg(target_os = "linux")]
        if let Some(own) = &self.own {
            linux::enter(&own.benchmark);
        }
        Inside(self.clone())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(own) = &self.0.own {
            linux::enter(&own.machine);
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

    const CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";
    /// The first that is permitted. Without losses they do the same; a namespace may have CUBIC only where the machine
    /// itself allows it to all, and Reno everywhere.
    const WANTED: [&str; 2] = ["cubic", "reno"];

    pub(crate) struct Namespaces {
        pub(crate) machine: File,
        pub(crate) benchmark: File,
        pub(crate) control: String,
    }

    impl Namespaces {
        /// `None` if namespaces do not exist or are not permitted.
        pub(crate) fn new() -> Option<Namespaces> {
            let machine = File::open("/proc/thread-self/ns/net").ok()?;
            let name = format!("wasio-bench-{}", std::process::id());
            ip(&["netns", "add", &name])?;
            let benchmark = File::open(format!("/run/netns/{name}")).ok();
            // It exists as long as it is open, or a thread is in it.
            ip(&["netns", "del", &name]);
            let benchmark = benchmark?;
            enter(&benchmark);
            let up = ip(&["link", "set", "lo", "up"]);
            WANTED.iter().find(|wanted| std::fs::write(CONTROL, wanted).is_ok());
            let control = control();
            enter(&machine);
            up.map(|()| Namespaces { machine, benchmark, control })
        }
    }

    /// # Panics
    ///
    /// Panics if the kernel refuses an operation that it permitted before.
    pub(crate) fn enter(namespace: &File) {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("whoever may make a namespace may enter it");
    }

    /// The congestion control of this thread's network.
    pub(crate) fn control() -> String {
        std::fs::read_to_string(CONTROL).map_or("unknown".into(), |text| text.trim().to_owned())
    }

    fn ip(args: &[&str]) -> Option<()> {
        let mut command = Command::new("ip");
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::Network;

    #[test]
    fn what_listens_outside_is_not_inside() {
        let network = Network::new();
        if network.own.is_none() {
            return;
        }
        let outside = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = outside.local_addr().unwrap();
        {
            let _inside = network.enter();
            assert!(TcpStream::connect(address).is_err());
            let inside = TcpListener::bind(address).unwrap();
            assert!(TcpStream::connect(inside.local_addr().unwrap()).is_ok());
        }
        assert!(TcpStream::connect(address).is_ok());
    }
}
