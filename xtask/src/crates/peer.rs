//! The peers of programs that are programs themselves: started, and gone when dropped.

use std::any::Any;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::postgres;
use xtask::process::Running;
use xtask::workspace;

use super::list::Peer;

/// None takes longer to start.
const LIMIT: Duration = Duration::from_secs(60);

/// A peer that runs.
pub(super) struct Started {
    /// What the program is told of it.
    pub(super) arguments: Vec<String>,
    _running: Box<dyn Any>,
}

/// Starts `peer` for the program in `project`.
pub(super) fn start(peer: Peer, project: &Path) -> Result<Started> {
    let (arguments, running): (_, Box<dyn Any>) = match peer {
        Peer::Itself => (Vec::new(), Box::new(())),
        Peer::Redis => {
            let port = workspace::free_port()?;
            let mut command = Command::new("redis-server");
            command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
            let mut running = Running::spawn("redis-server", &mut command)?;
            running.listens(port, LIMIT)?;
            (vec![port.to_string()], Box::new(running))
        }
        Peer::Postgres => {
            let server = postgres::Server::start("crates")?;
            (vec![server.address.clone()], Box::new(server))
        }
        Peer::PostgresTls => {
            let server = postgres::Server::start_tls("crates")?;
            let port = server.address.rsplit(':').next().unwrap_or_default().to_owned();
            // Into the folder that the guest is granted.
            fs::copy(server.certificate(), project.join("server.crt"))?;
            (vec![port, "server.crt".to_owned()], Box::new(server))
        }
        Peer::Mariadb => {
            let server = Mariadb::start()?;
            (vec![server.url.clone()], Box::new(server))
        }
    };
    Ok(Started { arguments, _running: running })
}

/// A MariaDB server, with its folder.
struct Mariadb {
    url: String,
    folder: PathBuf,
    running: Option<Running>,
}

impl Mariadb {
    fn start() -> Result<Mariadb> {
        let folder = std::env::temp_dir().join(format!("wasio-mariadb-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        let port = workspace::free_port()?;
        let url = format!("mysql://tester:secret@127.0.0.1:{port}/fruit");
        let mut server = Mariadb { url, folder, running: None };
        let (data, users) = (server.folder.join("data"), server.folder.join("users.sql"));
        let statements = "CREATE DATABASE fruit; CREATE USER tester@'127.0.0.1' IDENTIFIED BY 'secret'; \
                          GRANT ALL ON fruit.* TO tester@'127.0.0.1';\n";
        fs::write(&users, statements.replace("; ", ";\n"))?;
        let data = format!("--datadir={}", data.display());
        let mut command = Command::new("mariadb-install-db");
        command.args(["--no-defaults", "--user=root", "--skip-test-db", &data]);
        let installed = Running::spawn("mariadb-install-db", &mut command)?;
        installed.finish(LIMIT)?.success().context("mariadb-install-db")?;
        let program = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"].map(PathBuf::from);
        let program = program.into_iter().find(|program| program.is_file());
        let mut command = Command::new(program.unwrap_or_else(|| "mariadbd".into()));
        command.args(["--no-defaults", "--user=root", "--bind-address=127.0.0.1", &data]);
        command.arg(format!("--port={port}"));
        command.arg(format!("--socket={}", server.folder.join("socket").display()));
        command.arg(format!("--init-file={}", users.display()));
        let running = server.running.insert(Running::spawn("mariadbd", &mut command)?);
        running.listens(port, LIMIT)?;
        Ok(server)
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        // Killed when dropped: nothing of what it has is to be kept.
        drop(self.running.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}
