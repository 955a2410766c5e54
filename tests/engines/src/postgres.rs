//! A PostgreSQL server of the tests' own, and guests that talk to it.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask::engine::Engine;
use xtask::process::Running;
use xtask::workspace;

use crate::world::{LIMIT, World, program};
use crate::{Case, Needs};

const NEEDS: Needs = &["initdb", "postgres"];

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: &[Engine::Wasip2, Engine::Stock],
        run: |world| client(world, "postgres-client"),
    },
    // The version that compiles for wasip2 does not run on wasip1 (examples/sql).
    Case {
        name: "crates_postgres_client",
        needs: NEEDS,
        on: &[Engine::Wasio, Engine::Wasmedge],
        run: |world| client(world, "postgres-client-wasip1"),
    },
    Case {
        name: "crates_sqlx",
        needs: NEEDS,
        on: &[Engine::Wasio, Engine::Wasmedge, Engine::Wasip2, Engine::Stock],
        run: sqlx,
    },
];

fn client(world: &World, program: &str) -> Result<()> {
    let server = Server::start(&format!("{}-{program}", world.engine().name()))?;
    let guest = world.launch_crate(program)?.args([&server.address, "tester", "postgres"]);
    guest.spawn(program)?.finish(LIMIT)?.prints("plum 5\npear 4\napple 3")?;
    Ok(())
}

fn sqlx(world: &World) -> Result<()> {
    let server = Server::start(&format!("{}-sqlx", world.engine().name()))?;
    let url = format!("postgres://tester@{}/postgres", server.address);
    let guest = world.launch_crate("sqlx")?.arg(url);
    guest.spawn("sqlx")?.finish(LIMIT)?.prints("72\napple 3\npear 4\nplum 5")?;
    Ok(())
}

/// A server with the user `tester`, who needs no password, and the database `postgres`. Gone when dropped, with
/// its folder.
pub(crate) struct Server {
    pub(crate) address: String,
    folder: PathBuf,
    running: Option<Running>,
}

impl Server {
    pub(crate) fn start(name: &str) -> Result<Server> {
        let folder = std::env::temp_dir().join(format!("wasio-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder)?;
        let port = workspace::free_port()?;
        let mut server = Server { address: format!("127.0.0.1:{port}"), folder, running: None };
        // PostgreSQL refuses to run as root.
        if server.owner()?.0 == 0 {
            let done = Command::new("chown").arg("postgres:").arg(&server.folder).status()?;
            ensure!(done.success(), "there is no user `postgres`");
        }
        let mut command = server.command("initdb")?;
        command.args(["--auth=trust", "--username=tester", "--no-sync"]);
        Running::spawn("initdb", &mut command)?.finish(LIMIT)?.success().context("initdb")?;
        let mut command = server.command("postgres")?;
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command.args(["-c", "fsync=off", "-p", &port.to_string()]);
        let running = server.running.insert(Running::spawn("postgres", &mut command)?);
        running.listens(port, LIMIT)?;
        Ok(server)
    }

    /// One of PostgreSQL's programs, as the user whose folder it is.
    fn command(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(program(name).with_context(|| format!("no {name}"))?);
        let (user, group) = self.owner()?;
        command.current_dir(&self.folder).arg("-D").arg(self.folder.join("data"));
        command.uid(user).gid(group);
        Ok(command)
    }

    fn owner(&self) -> Result<(u32, u32)> {
        let metadata = std::fs::metadata(&self.folder)?;
        Ok((metadata.uid(), metadata.gid()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // Asked, not killed: it gives its shared memory back.
            let _ = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
            let _ = running.finish(LIMIT);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
