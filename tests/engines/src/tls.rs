//! TLS and https: guests with either provider against native rustls and curl, with a CA made for the test.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use xtask::engine::Launch;
use xtask::platform::Platform;
use xtask::process::Running;
use xtask::workspace;

use crate::http::{PAGE, page};
use crate::peers::Peer;
use crate::world::{LIMIT, World};
use crate::{Case, Needs, On, WASM};

/// Where the crates are tested.
const ON: On = WASM;
const CLANG: Needs = &["clang"];
const CLANG_AND_CURL: Needs = &["clang", "curl"];

pub(crate) const CASES: &[Case] = &[
    Case { name: "crates_tls_ring", needs: CLANG, on: ON, run: |world| tls(world, "tls-ring") },
    Case { name: "crates_tls_pure_rust", needs: &[], on: ON, run: |w| tls(w, "tls-rustcrypto") },
    Case {
        name: "crates_https_ring",
        needs: CLANG_AND_CURL,
        on: ON,
        run: |world| https(world, "https-ring"),
    },
    Case {
        name: "crates_https_pure_rust",
        needs: &["curl"],
        on: ON,
        run: |world| https(world, "https-rustcrypto"),
    },
];

/// A CA, a server's certificate for `localhost` and 127.0.0.1, and another CA that has nothing to do with it.
struct Authority {
    /// Where they are: ca.pem, other.pem, chain.pem, key.pem.
    folder: PathBuf,
}

impl Authority {
    fn new(name: &str) -> Result<Authority> {
        let folder = workspace::scratch("engine-tests")?.join(name);
        std::fs::create_dir_all(&folder)?;
        let issuer = |name: &str| {
            let mut params = CertificateParams::new(Vec::new())?;
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate()?)
        };
        let ca = issuer("a CA")?;
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let server = CertificateParams::new(names)?.signed_by(&key, &ca)?;
        std::fs::write(folder.join("ca.pem"), ca.pem())?;
        std::fs::write(folder.join("other.pem"), issuer("another CA")?.pem())?;
        std::fs::write(folder.join("chain.pem"), server.pem())?;
        std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
        Ok(Authority { folder })
    }

    /// The same as a native server.
    fn acceptor(&self) -> Result<TlsAcceptor> {
        let chain = CertificateDer::pem_file_iter(self.folder.join("chain.pem"))?;
        let key = PrivateKeyDer::from_pem_file(self.folder.join("key.pem"))?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain.collect::<Result<_, _>>()?, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// A native client that trusts the CA.
    fn connector(&self) -> Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.folder.join("ca.pem"))?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// A start of `program` that sees the files in the folder /tls.
    fn launch<'w>(&self, world: &'w World, program: &str) -> Result<Launch<'w>> {
        let folder = self.folder.display();
        let folder = match world.platform() {
            Platform::Wasmedge => format!("/tls:{folder}"),
            _ => format!("{folder}::/tls"),
        };
        Ok(world.launch_crate(program)?.option("--dir").option(folder))
    }
}

fn tls(world: &World, program: &str) -> Result<()> {
    let authority = Authority::new(&format!("{}-{program}", world.platform().name()))?;

    // The guest as the client of a native server.
    let acceptor = authority.acceptor()?;
    let peer = Peer::serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let (mut reader, mut writer) = tokio::io::split(stream);
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
    })?;
    let client = |address: &str, name: &str, ca: &str| {
        let guest = authority.launch(world, program)?.args(["client", address, name, ca]);
        anyhow::Ok(guest.spawn(program)?.finish(LIMIT)?)
    };
    let address = peer.address.to_string();
    client(&address, "localhost", "/tls/ca.pem")?.prints("TLSv1_3\none\ntwo\nthree")?;
    client(&address, "127.0.0.1", "/tls/ca.pem")?.prints("TLSv1_3\none\ntwo\nthree")?;
    for (name, ca, complaint) in [
        ("localhost", "/tls/other.pem", "UnknownIssuer"),
        ("localhost.example", "/tls/ca.pem", "NotValidForName"),
    ] {
        let done = client(&address, name, ca)?;
        let refused = !done.status.success() && done.stderr.contains(complaint);
        ensure!(refused, done.failure(format!("{name} with {ca} was not refused: {complaint}")));
    }

    // The guest as a server, of itself and of a native client.
    let server = ["server", "127.0.0.1:0", "/tls/chain.pem", "/tls/key.pem"];
    let server = authority.launch(world, program)?.args(server).spawn(program)?;
    let address = server.line("listening on", LIMIT)?;
    client(&address, "localhost", "/tls/ca.pem")?.prints("TLSv1_3\none\ntwo\nthree")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let stream = TcpStream::connect(&address).await?;
        let name = ServerName::try_from("localhost")?;
        let mut stream = authority.connector()?.connect(name, stream).await?;
        stream.write_all(b"from outside\n").await?;
        stream.shutdown().await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    })?;
    ensure!(answer == "from outside\n", "the guest answered {answer:?}");
    server.stop()?;
    Ok(())
}

fn https(world: &World, program: &str) -> Result<()> {
    let authority = Authority::new(&format!("{}-{program}", world.platform().name()))?;

    let acceptor = authority.acceptor()?;
    let peer = Peer::serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(page));
            let _ = connection.await;
        }
    })?;
    let url = format!("https://localhost:{}/page", peer.address.port());
    let guest = authority.launch(world, program)?.args(["get", &url, "/tls/ca.pem"]);
    let (length, status) = ("/page\n".len() + PAGE, "HTTP/1.1 200 OK");
    guest.spawn(program)?.finish(LIMIT)?.prints(&format!(
        "hyper-util: {status}, {length} bytes\nreqwest: {status}, {length} bytes"
    ))?;

    let server = ["server", "127.0.0.1:0", "/tls/chain.pem", "/tls/key.pem"];
    let server = authority.launch(world, program)?.args(server).spawn(program)?;
    let address = server.line("listening on", LIMIT)?;
    let port = address.rsplit_once(':').context("an address has a port")?.1;
    for (flag, version) in [("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2.0")] {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--noproxy", "*", flag, "--cacert"]);
        command.arg(authority.folder.join("ca.pem")).arg(format!("https://127.0.0.1:{port}/it"));
        Running::spawn("curl", &mut command)?
            .finish(LIMIT)?
            .prints(&format!("You asked for /it with {version}."))?;
    }
    // And both clients of the guest speak HTTP/2 with it.
    let url = format!("https://localhost:{port}/it");
    let guest = authority.launch(world, program)?.args(["get", &url, "/tls/ca.pem"]);
    let length = "You asked for /it with HTTP/2.0.\n".len();
    let both = format!("HTTP/2.0 200 OK, {length} bytes");
    let done = guest.spawn(program)?.finish(LIMIT)?;
    done.prints(&format!("hyper-util: {both}\nreqwest: {both}"))?;
    server.stop()?;
    Ok(())
}
