//! hyper: a server guest, and a client guest that fetches a page from it.

use std::time::Duration;

use anyhow::Result;
use xtask::cargo::{self, Built};
use xtask::engine::Runner;
use xtask::report::Steps;
use xtask::workspace;

const LIMIT: Duration = Duration::from_secs(120);

pub(super) fn demo(steps: &mut Steps, runner: &Runner, examples: &[Built]) -> Result<()> {
    let on = runner.platform().name();
    let (server_file, client_file) = steps.run("make the hyper guests ready", "build", |_| {
        let server = runner.prepare(cargo::find(examples, "hyper-server")?)?;
        let client = runner.prepare(cargo::find(examples, "hyper-client")?)?;
        Ok(((server, client), String::new()))
    })?;
    let port = workspace::free_port()?;
    let address = format!("127.0.0.1:{port}");

    let server = steps.run("hyper server starts", on, |_| {
        let server = runner.launch(&server_file).arg(&address).spawn("hyper-server")?;
        let line = server.line("listening on", LIMIT)?;
        Ok((server, line))
    })?;
    let page = steps.run("hyper client fetches a page", on, |_| {
        let url = format!("http://{address}/hello?from=the-demo");
        let client = runner.launch(&client_file).arg(url).spawn("hyper-client")?;
        let done = client.finish(LIMIT)?.success()?;
        for expected in ["200 OK", "content-type: text/plain", "You asked for /hello?from=the-demo"]
        {
            if !done.stdout.contains(expected) {
                let server_said = server.stderr();
                let mut failure = done.failure(format!("the answer lacks {expected:?}"));
                failure.stderr += &format!("\n--- the server's stderr ---\n{server_said}");
                return Err(failure.into());
            }
        }
        Ok((done.stdout, "status, headers and body checked".into()))
    })?;
    for line in page.lines() {
        steps.say(&format!("       | {line}"));
    }
    steps.run("hyper server is still well, and stops", on, |_| {
        Ok((server.stop()?, "killed by us".to_owned()))
    })?;
    Ok(())
}
