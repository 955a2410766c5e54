//! A stock WASI 0.2 host: wasmtime-wasi's own linker, unmodified, and nothing of ours.
//!
//! What a guest does here it does under `wasmtime run`, whose command takes too long to build for the tests.
//! The options are those of that command: `-S inherit-network,allow-ip-name-lookup`, `--dir HOST[::GUEST]`,
//! `--env NAME=VALUE`.

use std::error::Error;

use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings::Command;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio();
    let mut args = std::env::args().skip(1);
    let file = loop {
        let arg = args.next().ok_or("usage: stock [OPTIONS] FILE [ARGS]")?;
        match arg.as_str() {
            "-S" => {
                for option in args.next().ok_or("-S takes a value")?.split(',') {
                    match option {
                        "inherit-network" => {
                            wasi.inherit_network().allow_tcp(true).allow_udp(true);
                        }
                        "allow-ip-name-lookup" => {
                            wasi.allow_ip_name_lookup(true);
                        }
                        other => return Err(format!("-S {other} is not known").into()),
                    }
                }
            }
            "--dir" => {
                let dir = args.next().ok_or("--dir takes a value")?;
                let (host, guest) = dir.split_once("::").unwrap_or((&dir, &dir));
                wasi.preopened_dir(host, guest, FsPerms::ReadWrite)?;
            }
            "--env" => {
                let variable = args.next().ok_or("--env takes a value")?;
                let (name, value) = variable.split_once('=').ok_or("--env takes NAME=VALUE")?;
                wasi.env(name, value);
            }
            "--" => {}
            _ => break arg,
        }
    };
    wasi.arg(&file);
    args.for_each(|arg| {
        wasi.arg(arg);
    });
    let code = tokio::runtime::Runtime::new()?.block_on(run(&file, wasi.build()))?;
    std::process::exit(code);
}

async fn run(file: &str, wasi: WasiCtx) -> wasmtime::Result<i32> {
    let engine = Engine::default();
    let component = Component::from_file(&engine, file)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new() });
    let command = Command::instantiate_async(&mut store, &component, &linker).await?;
    match command.wasi_cli_run().call_run(&mut store).await {
        Ok(result) => Ok(result.is_err().into()),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => {
                // As `wasmtime run` ends.
                eprintln!("Error: {error:?}");
                Ok(134)
            }
        },
    }
}
