//! The floor: a TCP echo server that is a loop, with no runtime. `echo IPV4:PORT`; prints `listening` when
//! it does.
//!
//! It waits as a reactor that is worth its name would: first it tries the connections that were active lately,
//! without asking whether anything has come, for at most three rounds and while a quarter of them had data.
//! Then it polls those alone, for as long as polling everything was measured to cost. Then it polls everything.
//! On a host that keeps what is armed between polls (host/POLL_EXTENSION.md) it asks that instead.

use std::time::{Duration, Instant};

#[cfg_attr(all(target_os = "wasi", target_env = "p1"), path = "p1.rs")]
#[cfg_attr(all(target_os = "wasi", target_env = "p2"), path = "p2.rs")]
#[cfg_attr(not(target_os = "wasi"), path = "none.rs")]
mod sys;

/// So many rounds without a poll.
const ROUNDS: usize = 3;
/// A round is worth while when one of so many connections had data.
const ONE_OF: usize = 4;
/// Everything is polled when the active connections alone were polled for so many times what that costs.
const PATIENCE: u32 = 16;

/// What an attempt to echo found.
#[cfg_attr(not(target_os = "wasi"), allow(dead_code, reason = "nothing is found there"))]
enum Found {
    Data,
    Nothing,
    End,
}

fn main() {
    let address = std::env::args().nth(1).expect("usage: echo IPV4:PORT");
    let listener = sys::Listener::bind(address.parse().expect("an address is IPV4:PORT"));
    println!("listening");
    let mut server = Server::new(listener);
    loop {
        server.turn();
    }
}

struct Connection {
    stream: sys::Stream,
    /// The last era in which it had data.
    active: u32,
    hot: bool,
}

struct Server {
    listener: sys::Listener,
    /// What the host keeps, if it does: places in `everything`.
    queue: Option<sys::Queue>,
    connections: Vec<Connection>,
    /// The listener, then all connections.
    everything: sys::Set,
    /// Connections that had data in this era or the one before, and what is polled for them.
    hot: Vec<usize>,
    hot_set: sys::Set,
    /// From one look at everything to the next.
    era: u32,
    looked: Instant,
    /// Of polling everything.
    cost: Duration,
    ready: Vec<usize>,
}

impl Server {
    fn new(listener: sys::Listener) -> Server {
        let mut everything = sys::Set::default();
        everything.push(listener.subscription());
        let mut queue = sys::Queue::open();
        if let Some(queue) = &mut queue {
            queue.arm(listener.subscription(), 0);
        }
        Server {
            listener,
            queue,
            connections: Vec::new(),
            everything,
            hot: Vec::new(),
            hot_set: sys::Set::default(),
            era: 1,
            looked: Instant::now(),
            cost: Duration::ZERO,
            ready: Vec::new(),
        }
    }

    fn turn(&mut self) {
        for _ in 0..ROUNDS {
            let tried = self.hot.len();
            let mut with_data = 0;
            for at in (0..tried).rev() {
                // An end takes connections out.
                let Some(&n) = self.hot.get(at) else { break };
                with_data += usize::from(self.echo(n));
            }
            if with_data * ONE_OF < tried || tried == 0 {
                break;
            }
        }
        if let Some(mut queue) = self.queue.take() {
            self.ask(&mut queue);
            self.queue = Some(queue);
            return;
        }
        // When most are active there is nothing to gain.
        let few = self.connections.len() > 2 * self.hot.len() + 16;
        if few && !self.hot.is_empty() && self.looked.elapsed() < self.cost * PATIENCE {
            let mut ready = std::mem::take(&mut self.ready);
            self.hot_set.poll(Some(self.cost), &mut ready);
            let hot: Vec<usize> = ready.iter().map(|&at| self.hot[at]).collect();
            let found = hot.len();
            for n in hot {
                self.echo(n);
            }
            self.ready = ready;
            if found > 0 {
                return;
            }
        }
        self.look_at_everything(few);
    }

    /// Waits for whatever the host has.
    fn ask(&mut self, queue: &mut sys::Queue) {
        let mut ready = std::mem::take(&mut self.ready);
        queue.wait(&mut ready);
        self.era += 1;
        self.cool();
        // From the end, so that taking one out moves none that is still to come.
        ready.sort_unstable_by(|a, b| b.cmp(a));
        for &at in &ready {
            let Some(n) = at.checked_sub(1) else {
                let from = self.connections.len();
                self.accept();
                queue.arm(self.listener.subscription(), 0);
                for (n, connection) in self.connections.iter().enumerate().skip(from) {
                    queue.arm(connection.stream.subscription(), n + 1);
                }
                continue;
            };
            self.echo(n);
            // Whoever is in its place now, if it is gone.
            if let Some(connection) = self.connections.get(n) {
                queue.arm(connection.stream.subscription(), at);
            }
        }
        self.ready = ready;
    }

    fn look_at_everything(&mut self, measured: bool) {
        let mut ready = std::mem::take(&mut self.ready);
        if measured {
            let from = Instant::now();
            self.everything.poll(Some(Duration::ZERO), &mut ready);
            // And the change to another set and back.
            self.cost = from.elapsed() * 2;
        }
        if !measured || (ready.is_empty() && !self.is_busy()) {
            self.everything.poll(None, &mut ready);
        }
        self.era += 1;
        self.cool();
        // From the end, so that taking one out moves none that is still to come.
        ready.sort_unstable_by(|a, b| b.cmp(a));
        for &at in &ready {
            match at.checked_sub(1) {
                Some(n) => _ = self.echo(n),
                None => self.accept(),
            }
        }
        self.ready = ready;
        self.looked = Instant::now();
    }

    /// Whether there was data since everything was last looked at.
    fn is_busy(&self) -> bool {
        self.hot.iter().any(|&n| self.connections[n].active == self.era)
    }

    fn accept(&mut self) {
        while let Some(stream) = self.listener.accept() {
            self.everything.push(stream.subscription());
            self.connections.push(Connection { stream, active: 0, hot: false });
        }
    }

    /// Sends back what has come; says whether anything had.
    fn echo(&mut self, n: usize) -> bool {
        let Some(connection) = self.connections.get_mut(n) else { return false };
        match connection.stream.echo() {
            Found::Nothing => false,
            Found::Data => {
                connection.active = self.era;
                if !connection.hot {
                    connection.hot = true;
                    self.hot.push(n);
                    self.hot_set.push(connection.stream.subscription());
                }
                true
            }
            Found::End => {
                self.everything.swap_remove(n + 1);
                self.connections.swap_remove(n);
                // The numbers are others now.
                self.connections.iter_mut().for_each(|connection| connection.hot = false);
                self.hot.clear();
                self.hot_set.clear();
                false
            }
        }
    }

    /// Takes those out of the active ones that were not in the last era.
    fn cool(&mut self) {
        let (connections, era) = (&mut self.connections, self.era);
        let before = self.hot.len();
        self.hot.retain(|&n| {
            let connection = &mut connections[n];
            connection.hot = connection.active + 1 >= era;
            connection.hot
        });
        if self.hot.len() < before {
            self.hot_set.clear();
            self.hot.iter().for_each(|&n| self.hot_set.push(connections[n].stream.subscription()));
        }
    }
}
