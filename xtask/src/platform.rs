//! The platforms: every combination of a target and a runner that is tested or measured, one entry each.
//!
//! Targets and engines that users can name have their entries in `cli/src/targets.rs`.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::targets::{Engine, Target, parser};

/// The runner of a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Host {
    /// This machine.
    Native,
    /// An engine that users can name.
    Engine(Engine),
    /// wasmtime-wasi's WASI 0.2, unmodified.
    Stock,
}

struct PlatformEntry {
    /// Its name on the command line, in `WASIO_TEST_ENGINE` and in recorded results.
    name: &'static str,
    host: Host,
    /// `None`: this machine.
    target: Option<Target>,
    /// Its name in recorded measurements.
    bench: &'static str,
    /// The heading of its column in tables.
    title: &'static str,
    /// The switch of `cargo xtask test` that chooses it.
    switch: &'static str,
    /// Whether programs have Unix sockets.
    unix_sockets: bool,
    /// Whether all exit codes are passed on, not only 0 and 1.
    exit_codes: bool,
    /// The exit code after a panic; `None`: any but 0.
    panic_code: Option<i32>,
}

registry! {
    /// A target and the runner of its guests.
    enum Platform of PlatformEntry {
        Native {
            name: "native",
            host: Host::Native,
            target: None,
            bench: "native",
            title: "native",
            switch: "native",
            unix_sockets: true,
            exit_codes: true,
            panic_code: Some(101),
        }
        Wasio {
            name: "wasio",
            host: Host::Engine(Engine::Wasio),
            target: Some(Target::P1),
            bench: "wasio-host",
            title: "wasip1, `wasio run`",
            switch: "wasip1",
            unix_sockets: false,
            exit_codes: true,
            panic_code: Some(134),
        }
        Wasip2 {
            name: "wasip2",
            host: Host::Engine(Engine::Wasio),
            target: Some(Target::P2),
            bench: "wasip2",
            title: "wasip2, `wasio run`",
            switch: "wasip2",
            unix_sockets: false,
            exit_codes: true,
            panic_code: Some(134),
        }
        Stock {
            name: "stock",
            host: Host::Stock,
            target: Some(Target::P2),
            bench: "wasip2-stock",
            title: "wasip2, any wasmtime",
            switch: "wasip2",
            unix_sockets: false,
            // WASI 0.2 itself knows only success and failure.
            exit_codes: false,
            panic_code: Some(134),
        }
        Wasmedge {
            name: "wasmedge",
            host: Host::Engine(Engine::Wasmedge),
            target: Some(Target::P1),
            bench: "wasmedge-aot",
            title: "wasip1, WasmEdge",
            switch: "wasmedge",
            unix_sockets: true,
            exit_codes: true,
            panic_code: None,
        }
    }
}

impl Platform {
    /// Its name on the command line, in `WASIO_TEST_ENGINE` and in recorded results.
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// The runner of programs.
    pub const fn host(self) -> Host {
        self.entry().host
    }

    /// The target that programs are built for; `None` is this machine.
    pub const fn target(self) -> Option<Target> {
        self.entry().target
    }

    /// rustc's name of the target; `None` is this machine.
    pub fn triple(self) -> Option<&'static str> {
        self.target().map(Target::triple)
    }

    /// Its name in recorded measurements.
    pub const fn bench(self) -> &'static str {
        self.entry().bench
    }

    /// The heading of its column in tables.
    pub const fn title(self) -> &'static str {
        self.entry().title
    }

    /// Whether programs have Unix sockets.
    pub const fn has_unix_sockets(self) -> bool {
        self.entry().unix_sockets
    }

    /// Whether all exit codes are passed on, not only 0 and 1.
    pub const fn has_exit_codes(self) -> bool {
        self.entry().exit_codes
    }

    /// The exit code after a panic; `None`: any but 0.
    pub const fn panic_code(self) -> Option<i32> {
        self.entry().panic_code
    }

    /// Whether `wasio` runs the guests.
    pub fn is_wasio(self) -> bool {
        self.host() == Host::Engine(Engine::Wasio)
    }

    /// Whether programs are guests.
    pub fn is_guest(self) -> bool {
        self.target().is_some()
    }

    /// Whether the network is denied unless it is granted.
    pub fn denies_network(self) -> bool {
        self.is_wasio() || self.host() == Host::Stock
    }

    /// `wasio` with guests for `target`, or the native platform without one.
    pub fn wasio(target: Option<Target>) -> Platform {
        let fits = |one: &&Platform| one.target() == target && (one.is_wasio() || !one.is_guest());
        *Platform::ALL.iter().find(fits).expect("our runner runs guests for every target")
    }

    /// Parses a platform's name.
    pub fn parser() -> impl TypedValueParser<Value = Platform> {
        parser(Platform::ALL.to_vec(), |one| PossibleValue::new(one.name()).help(one.title()))
    }

    /// Parses the name that a platform has in measurements.
    pub fn bench_parser() -> impl TypedValueParser<Value = Platform> {
        parser(Platform::ALL.to_vec(), |one| PossibleValue::new(one.bench()).help(one.title()))
    }
}

impl serde::Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl serde::Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Target, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Target::ALL.iter().find(|target| target.name() == name);
        found.copied().ok_or_else(|| serde::de::Error::custom(format!("no such target: {name}")))
    }
}

/// The short name of a target, or of this machine.
pub fn target_name(target: Option<Target>) -> &'static str {
    target.map_or("native", Target::name)
}

/// The target of a program; `None` is this machine. clap treats an `Option` under this name as a required value.
pub type BuiltFor = Option<Target>;

/// Parses the short name of a target; `native` is this machine.
pub fn target_parser() -> impl TypedValueParser<Value = BuiltFor> {
    let all = [None].into_iter().chain(Target::ALL.iter().copied().map(Some)).collect();
    parser(all, |target: Option<Target>| {
        PossibleValue::new(target_name(target)).help(target.map_or("This machine", Target::triple))
    })
}

/// Parses the short name of a target.
pub fn guest_target_parser() -> impl TypedValueParser<Value = Target> {
    parser(Target::ALL.to_vec(), |target| PossibleValue::new(target.name()).help(target.triple()))
}

/// The platforms that the switches of a command line choose: all, if none is given.
#[derive(Clone, Debug)]
pub struct Chosen(pub Vec<Platform>);

impl clap::FromArgMatches for Chosen {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Chosen, clap::Error> {
        let chosen = Platform::ALL.iter().filter(|one| matches.get_flag(one.entry().switch));
        let chosen: Vec<_> = chosen.copied().collect();
        Ok(Chosen(if chosen.is_empty() { Platform::ALL.to_vec() } else { chosen }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Chosen::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Chosen {
    fn augment_args(mut command: Command) -> Command {
        let mut switches: Vec<_> = Platform::ALL.iter().map(|one| one.entry().switch).collect();
        switches.dedup();
        for switch in switches {
            let on = Platform::ALL.iter().filter(|one| one.entry().switch == switch);
            let on: Vec<_> = on.map(|one| one.title()).collect();
            let help = format!("Run only on {}; combines with the others", on.join(" and on "));
            let arg = Arg::new(switch).long(switch).action(ArgAction::SetTrue);
            command = command.arg(arg.help(help));
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Chosen::augment_args(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for name in [Platform::name, Platform::bench, Platform::title] {
            let mut names: Vec<_> = Platform::ALL.iter().map(|one| name(*one)).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), Platform::ALL.len());
        }
    }

    #[test]
    fn our_runner_has_every_target() {
        for target in Target::ALL.iter().copied().map(Some).chain([None]) {
            assert_eq!(Platform::wasio(target).target(), target);
        }
    }

    #[test]
    fn switches_choose_platforms() {
        use clap::{Args as _, FromArgMatches as _};
        let parse = |args: &[&str]| {
            let command = Chosen::augment_args(Command::new("test")).no_binary_name(true);
            Chosen::from_arg_matches(&command.get_matches_from(args)).unwrap().0
        };
        assert_eq!(parse(&[]), Platform::ALL);
        assert_eq!(parse(&["--wasip2"]), [Platform::Wasip2, Platform::Stock]);
        assert_eq!(parse(&["--wasmedge", "--native"]), [Platform::Native, Platform::Wasmedge]);
    }
}
