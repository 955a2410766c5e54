//! HTTP: a guest client of a native hyper server, and curl as a client of a guest.

use std::convert::Infallible;
use std::process::Command;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use xtask::process::Running;

use crate::peers::Peer;
use crate::world::{LIMIT, World};
use crate::{ALL, Case};

pub(crate) const CASES: &[Case] = &[
    Case { name: "client_of_native_hyper", needs: &[], on: ALL, run: client },
    Case { name: "curl_of_a_guest", needs: &["curl"], on: ALL, run: curl },
];

pub(crate) const PAGE: usize = 1_000_000;

pub(crate) async fn page(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = format!("{}\n{}", request.uri(), "p".repeat(PAGE));
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert("x-served-by", "hyper".parse().expect("a header"));
    Ok(response)
}

/// A native server of pages: each is the request's URI, and [`PAGE`] bytes.
pub(crate) fn pages() -> Result<Peer> {
    Peer::serve(async |stream| {
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(page));
        let _ = connection.await;
    })
}

fn client(world: &World) -> Result<()> {
    let peer = pages()?;
    let url = format!("http://{}/a/page?with=query", peer.address);
    let guest = world.launch("hyper-client")?.arg(url).spawn("hyper-client")?;
    let done = guest.finish(LIMIT)?.success()?;
    for expected in ["HTTP/1.1 200 OK\n", "x-served-by: hyper\n", "\n/a/page?with=query\n"] {
        ensure!(done.stdout.contains(expected), done.failure(format!("no {expected:?}")));
    }
    ensure!(done.stdout.ends_with(&"p".repeat(PAGE)), "the page is not whole");
    Ok(())
}

fn curl(world: &World) -> Result<()> {
    let server = world.launch("hyper-server")?.arg("127.0.0.1:0").spawn("hyper-server")?;
    let url = server.line("listening on", LIMIT)?;
    let curl = |args: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]).args(args);
        Running::spawn("curl", &mut command)?.finish(LIMIT)
    };
    // Two requests on one connection.
    let (one, two) = (format!("{url}/one"), format!("{url}/two"));
    let done = curl(&[&one, &two])?;
    done.prints("You asked for /one with GET.\nYou asked for /two with GET.")?;
    let body = xtask::workspace::scratch("engine-tests")?.join("a-megabyte");
    std::fs::write(&body, "b".repeat(PAGE))?;
    let body = format!("@{}", body.display());
    curl(&["--data-binary", &body, &one])?
        .prints(&format!("You asked for /one with POST.\nYou sent {PAGE} bytes."))?;
    server.stop()?;
    Ok(())
}
