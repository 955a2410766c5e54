//! A PostgreSQL server of our own, for guests to talk to.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::process::Running;
use crate::workspace;

/// Neither `initdb` nor the start of a server takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// A server with the user `tester`, without a password, and the database `postgres`. Dropping it stops the server and
/// removes its folder.
pub struct Server {
    /// Its host and port.
    pub address: String,
    folder: PathBuf,
    running: Option<Running>,
}

impl Server {
    /// Starts one; `name` is in its folder's.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start(name: &str) -> Result<Server> {
        let mut server = Server::init(name)?;
        server.launch(&[])?;
        Ok(server)
    }

    /// Starts one that takes connections over TLS only, as `localhost`.
    ///
    /// # Errors
    /// When PostgreSQL or openssl is not installed, or the server does not start.
    pub fn start_tls(name: &str) -> Result<Server> {
        let mut server = Server::init(name)?;
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-nodes", "-days", "30", "-subj", "/CN=localhost"]);
        command.args(["-addext", "subjectAltName=DNS:localhost"]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-keyout", "data/server.key", "-out", "data/server.crt"]);
        let (user, group) = server.owner()?;
        command.current_dir(&server.folder).uid(user).gid(group);
        Running::spawn("openssl", &mut command)?.finish(LIMIT)?.success()?;
        let rules = "hostssl all all 127.0.0.1/32 trust\n";
        std::fs::write(server.folder.join("data/pg_hba.conf"), rules)?;
        server.launch(&["-c", "ssl=on"])?;
        Ok(server)
    }

    /// The certificate of one that speaks TLS, in PEM.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("data/server.crt")
    }

    fn init(name: &str) -> Result<Server> {
        let folder = std::env::temp_dir().join(format!("wasio-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder)?;
        let server = Server { address: String::new(), folder, running: None };
        // PostgreSQL refuses to run as root.
        if server.owner()?.0 == 0 {
            let done = Command::new("chown").arg("postgres:").arg(&server.folder).status()?;
            ensure!(done.success(), "there is no user `postgres`");
        }
        let mut command = server.command("initdb")?;
        command.args(["--auth=trust", "--username=tester", "--no-sync"]);
        Running::spawn("initdb", &mut command)?.finish(LIMIT)?.success().context("initdb")?;
        Ok(server)
    }

    fn launch(&mut self, options: &[&str]) -> Result<()> {
        let port = workspace::free_port()?;
        self.address = format!("127.0.0.1:{port}");
        let mut command = self.command("postgres")?;
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command.args(["-c", "fsync=off", "-p", &port.to_string()]).args(options);
        let running = self.running.insert(Running::spawn("postgres", &mut command)?);
        running.listens(port, LIMIT)?;
        Ok(())
    }

    /// One of PostgreSQL's programs, as the user whose folder it is.
    fn command(&self, name: &str) -> Result<Command> {
        let program = workspace::program(name).with_context(|| format!("no {name}"))?;
        let mut command = Command::new(program);
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
            // Terminated, not killed, so that it releases its shared memory.
            let _ = Command::new("kill").args(["-INT", &running.id().to_string()]).status();
            let _ = running.finish(LIMIT);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
