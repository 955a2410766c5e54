//! Child processes are started, talked to, waited for and killed natively. On WASI every attempt is `Unsupported`.

use std::io;
use std::process::Stdio;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::process::Command;

#[wasio::test]
#[cfg(target_os = "wasi")]
async fn no_guest_starts_a_program() {
    let mut command = Command::new("true");
    command.arg("x").env("A", "b").stdin(Stdio::piped()).kill_on_drop(true);
    assert!(command.get_kill_on_drop());
    assert_eq!(command.spawn().unwrap_err().kind(), io::ErrorKind::Unsupported);
    assert_eq!(command.status().await.unwrap_err().kind(), io::ErrorKind::Unsupported);
    assert_eq!(command.output().await.unwrap_err().kind(), io::ErrorKind::Unsupported);
}

#[cfg(unix)]
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

#[wasio::test]
#[cfg(unix)]
async fn output_and_status() {
    let output = shell("echo out; echo err >&2; exit 3").output().await.unwrap();
    assert_eq!((output.stdout, output.stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
    assert_eq!(output.status.code(), Some(3));
    assert!(shell("exit 0").status().await.unwrap().success());
    let missing = Command::new("/no/such/program").status().await.unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
}

/// More than pipes hold, in both directions at once.
#[wasio::test]
#[cfg(unix)]
async fn a_conversation() {
    let mut command = Command::new("cat");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
    let mut received = Vec::new();
    let write = async {
        stdin.write_all(&sent).await.unwrap();
        drop(stdin);
    };
    let (_, read) = wasio::join!(write, stdout.read_to_end(&mut received));
    assert_eq!(read.unwrap(), sent.len());
    assert!(received == sent);
    assert!(child.id().is_some());
    assert!(child.wait().await.unwrap().success());
    assert_eq!(child.id(), None);
    assert!(child.wait().await.unwrap().success(), "a second time");
}

/// Tasks run while a child is waited for, and the end of one child is not taken for another's.
#[wasio::test]
#[cfg(unix)]
async fn many_at_a_time() {
    let children: Vec<_> =
        (0..8).map(|n| wasio::spawn(shell(&format!("sleep 0.{n}; exit {n}")).status())).collect();
    for (n, child) in children.into_iter().enumerate() {
        assert_eq!(child.await.unwrap().unwrap().code(), Some(n as i32));
    }
}

#[wasio::test]
#[cfg(unix)]
async fn killed() {
    use std::os::unix::process::ExitStatusExt;

    let mut child = shell("exec sleep 600").spawn().unwrap();
    assert_eq!(child.try_wait().unwrap(), None);
    let waiting = wasio::time::timeout(Duration::from_millis(20), child.wait()).await;
    assert!(waiting.is_err(), "it sleeps");
    child.kill().await.unwrap();
    assert_eq!(child.wait().await.unwrap().signal(), Some(9));
    child.start_kill().unwrap();
}

#[wasio::test]
#[cfg(unix)]
async fn dropped() {
    for kill in [true, false] {
        let mut command = shell("echo started; exec sleep 600");
        let mut child = command.kill_on_drop(kill).stdout(Stdio::piped()).spawn().unwrap();
        let id = child.id().unwrap().to_string();
        let mut stdout = child.stdout.take().unwrap();
        let mut said = [0; 8];
        stdout.read_exact(&mut said).await.unwrap();
        drop(child);
        // The pipe ends with its writer.
        let end = wasio::time::timeout(Duration::from_millis(300), stdout.read(&mut said)).await;
        if kill {
            assert_eq!(stdout.read(&mut said).await.unwrap(), 0);
        } else {
            assert!(end.is_err(), "it goes on");
            Command::new("kill").arg(id).status().await.unwrap();
            assert_eq!(stdout.read(&mut said).await.unwrap(), 0);
        }
    }
}

#[test]
#[cfg(unix)]
#[should_panic(expected = "no reactor running")]
fn outside_of_a_runtime() {
    let _ = shell("exit 0").spawn();
}
