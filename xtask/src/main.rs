//! The project's own commands: `cargo xtask demo | test | crates | suites | drop-ins | conformance | surface | bench |
//! table | links | ci`.

use clap::{Parser, Subcommand};

mod bench;
mod ci;
mod conformance;
mod crates;
mod demo;
mod drop_ins;
mod links;
mod suites;
mod surface;
mod table;
mod test;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run mini-redis and hyper, unchanged, as WASI guests.
    Demo(demo::Args),
    /// Run every test, natively and on every engine that is installed.
    Test(test::Args),
    /// Compare the drop-in's public items with tokio's.
    Surface(surface::Args),
    /// Measure wasio and its peers.
    Bench(bench::Args),
    /// Run tokio's own tests against the drop-in.
    Conformance(conformance::Options),
    /// Build crates that depend on tokio, and run programs that use them.
    Crates(crates::Args),
    /// Run the test suites of crates that depend on tokio.
    Suites(suites::Args),
    /// Compare the drop-ins' versions with the newest published ones.
    DropIns(drop_ins::Args),
    /// Write the table in docs/what-works.md from test results.
    Table(table::Args),
    /// Check the documents: links, anchors, paths, and the list of unsafe code.
    Links(links::Args),
    /// Run everything that continuous integration runs.
    Ci(ci::Args),
}

fn main() {
    let _ = xtask::workspace::this_program();
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Surface(args) => surface::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Conformance(args) => conformance::command(&args),
        Command::Crates(args) => crates::run(&args),
        Command::Suites(args) => {
            let result = suites::run(&args);
            // The page has a table of crates as well.
            let written = if args.record { crates::write_page() } else { Ok(()) };
            result.and(written)
        }
        Command::DropIns(args) => drop_ins::run(&args),
        Command::Table(args) => table::run(&args),
        Command::Links(args) => links::run(&args),
        Command::Ci(args) => ci::run(&args),
    };
    if let Err(e) = result {
        eprintln!("\nerror: {e:#}");
        std::process::exit(1);
    }
}
