//! Programs of std alone about files, for WASI preview 1 and 0.2. The folder is at `/`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsRawFd as _;

/// More than wasmtime-wasi copies at once.
const BIG: usize = (128 << 20) + 12_345;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "ok" => assert_eq!(fs::read_to_string("/ok")?, "fine"),
        "refused" => {
            let (read, write) = (File::open(&args[2]), OpenOptions::new().write(true).open(&args[2]));
            for error in [read.unwrap_err(), write.unwrap_err()] {
                assert_eq!(error.kind(), io::ErrorKind::Unsupported, "{error}");
            }
        }
        "exhaust" => exhaust(),
        "opens" => opens(&args[2], args[3].parse().unwrap()),
        "big" => big()?,
        "at" => at(args[2].parse().unwrap())?,
        "stdout" => io::stdout().write_all(&bytes(BIG))?,
        "tree" => tree()?,
        "many" => many(args[2].parse().unwrap())?,
        "emptied" => emptied(args[2].parse().unwrap())?,
        "names" => {
            let names = fs::read_dir("/")?.map(|e| e.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            println!("{}", names.join(" "));
        }
        "first" => first(args[2].parse().unwrap())?,
        "long-path" => long_path(args[2].parse().unwrap()),
        "lists" => lists(args[2].parse().unwrap())?,
        other => panic!("no program {other}"),
    }
    Ok(())
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

/// Opens a file until it cannot; closed ones do not count.
fn exhaust() {
    for _ in 0..300 {
        File::open("/ok").unwrap();
    }
    let mut open = Vec::new();
    while let Ok(file) = File::open("/ok") {
        open.push(file);
    }
    println!("{}", open.len());
}

/// Opens a file that may be a FIFO, for some seconds.
fn opens(path: &str, seconds: u64) {
    let begun = std::time::Instant::now();
    while begun.elapsed().as_secs() < seconds {
        for _ in 0..100 {
            let _ = File::open(path);
        }
    }
}

fn big() -> io::Result<()> {
    let all = bytes(BIG);
    fs::write("/big", &all)?;
    assert_eq!(fs::metadata("/big")?.len(), BIG as u64);
    assert!(fs::read("/big")? == all);
    let mut file = File::open("/big")?;
    let mut read = vec![0; BIG];
    file.read_exact(&mut read)?;
    assert!(read == all);
    assert_eq!(file.read(&mut read)?, 0);
    fs::remove_file("/big")
}

unsafe extern "C" {
    fn pwrite(fd: i32, bytes: *const u8, len: usize, at: i64) -> isize;
}

/// One call of the C library's.
fn at(len: usize) -> io::Result<()> {
    let all = bytes(len);
    let file = File::create("/at")?;
    // SAFETY: the bytes are there.
    let written = unsafe { pwrite(file.as_raw_fd(), all.as_ptr(), all.len(), 7) };
    assert_eq!(written, len as isize, "{}", io::Error::last_os_error());
    let found = fs::read("/at")?;
    assert!(found[..7] == [0; 7] && found[7..] == all);
    fs::remove_file("/at")
}

fn tree() -> io::Result<()> {
    fs::create_dir_all("/a/b")?;
    fs::write("/a/b/one", "1\n")?;
    let mut log = OpenOptions::new().append(true).read(true).open("/a/b/one")?;
    log.seek(SeekFrom::Start(0))?;
    log.write_all(b"2\n")?;
    log.write_all(b"3\n")?;
    log.sync_all()?;
    assert_eq!(fs::read_to_string("/a/b/one")?, "1\n2\n3\n");

    let mut file = OpenOptions::new().read(true).write(true).open("/a/b/one")?;
    file.seek(SeekFrom::End(-2))?;
    file.write_all(b"three")?;
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    assert_eq!(text, "1\n2\nthree");
    file.set_len(3)?;
    file.sync_data()?;
    assert_eq!(file.metadata()?.len(), 3);
    drop(file);

    fs::rename("/a/b/one", "/a/two")?;
    assert_eq!(fs::read_to_string("/a/two")?, "1\n2");
    fs::hard_link("/a/two", "/a/three")?;
    assert_eq!(fs::read("/a/three")?.len(), 3);
    let mut names: Vec<_> =
        fs::read_dir("/a")?.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["b", "three", "two"]);
    assert!(fs::metadata("/a/b")?.is_dir());

    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    assert_eq!(kind(File::open("/none").map(drop)), io::ErrorKind::NotFound);
    // std has no name for it here.
    assert_eq!(fs::remove_dir("/a").unwrap_err().raw_os_error(), Some(55));
    assert_eq!(kind(File::create_new("/a/two").map(drop)), io::ErrorKind::AlreadyExists);
    assert!(fs::read("../../../etc/hostname").is_err());
    assert!(fs::metadata("x".repeat(100_000)).is_err());
    fs::remove_dir_all("/a")?;
    assert!(!fs::exists("/a")?);
    Ok(())
}

/// A folder of so many files is listed whole.
fn many(count: usize) -> io::Result<()> {
    fs::create_dir("/many")?;
    for n in 0..count {
        File::create(format!("/many/{n:0>200}"))?;
    }
    let mut names: Vec<_> =
        fs::read_dir("/many")?.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, (0..count).map(|n| format!("{n:0>200}")).collect::<Vec<_>>());
    fs::remove_dir_all("/many")
}

/// Removes what it lists, while it lists it.
fn emptied(count: usize) -> io::Result<()> {
    fs::create_dir("/many")?;
    for n in 0..count {
        File::create(format!("/many/{n}"))?;
    }
    let mut removed = 0;
    for entry in fs::read_dir("/many")? {
        fs::remove_file(entry?.path())?;
        removed += 1;
    }
    assert_eq!(removed, count);
    fs::remove_dir("/many")
}

/// Begins lists of `/`, and prints in how many microseconds at best.
fn first(tries: usize) -> io::Result<()> {
    let mut best = u128::MAX;
    for _ in 0..tries {
        let begun = std::time::Instant::now();
        fs::read_dir("/")?.next().unwrap()?;
        best = best.min(begun.elapsed().as_micros());
    }
    println!("{best}");
    Ok(())
}

/// What takes a path takes none of this length.
fn long_path(len: usize) {
    let long = format!("/{}", "x".repeat(len));
    let results = [
        fs::metadata(&long).map(drop),
        File::open(&long).map(drop),
        fs::create_dir(&long),
        fs::remove_dir(&long),
        fs::remove_file(&long),
        fs::read_link(&long).map(drop),
        fs::rename("/ok", &long),
        fs::rename(&long, "/ok"),
        fs::hard_link("/ok", &long),
        fs::hard_link(&long, "/new"),
    ];
    for (n, result) in results.into_iter().enumerate() {
        let code = result.expect_err("no system has such a path").raw_os_error();
        // NAMETOOLONG
        assert_eq!(code, Some(37), "{n}");
    }
    assert_eq!(fs::read_to_string("/ok").unwrap(), "fine");
}

/// Begins so many lists of the folder, and then ends the last one.
fn lists(count: usize) -> io::Result<()> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut list = fs::read_dir("/")?;
        list.next().unwrap()?;
        all.push(list);
    }
    let rest = all.last_mut().unwrap().count();
    println!("{count} of {}", rest + 1);
    std::thread::sleep(std::time::Duration::from_secs(60));
    Ok(())
}
