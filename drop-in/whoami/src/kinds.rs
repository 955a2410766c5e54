//! Kinds of processors, systems and desktops.

use std::env;
use std::fmt;
use std::io::{Error, ErrorKind};

use crate::Result;

/// An enumeration of named things, and of unknown ones.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident: $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum $type {
            $(#[doc = $name] $variant,)*
            /// Another one.
            Unknown(String),
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)*
                    Self::Unknown(name) => write!(f, "Unknown: {name}"),
                }
            }
        }
    };
}

named! {
    /// A processor's architecture.
    Arch {
        ArmV5: "armv5",
        ArmV6: "armv6",
        ArmV7: "armv7",
        Arm64: "arm64",
        I386: "i386",
        I586: "i586",
        I686: "i686",
        X64: "x86_64",
        Mips: "mips",
        MipsEl: "mipsel",
        Mips64: "mips64",
        Mips64El: "mips64el",
        PowerPc: "powerpc",
        PowerPc64: "powerpc64",
        PowerPc64Le: "powerpc64le",
        Riscv32: "riscv32",
        Riscv64: "riscv64",
        S390x: "s390x",
        Sparc: "sparc",
        Sparc64: "sparc64",
        Wasm32: "wasm32",
        Wasm64: "wasm64",
    }
}

named! {
    /// A kind of system.
    Platform {
        Linux: "Linux",
        Bsd: "BSD",
        Windows: "Windows",
        MacOS: "Mac OS",
        Illumos: "illumos",
        Ios: "iOS",
        Android: "Android",
        Nintendo: "Nintendo",
        Xbox: "XBox",
        PlayStation: "PlayStation",
        Fuchsia: "Fuchsia",
        Redox: "Redox",
        Hurd: "GNU Hurd",
    }
}

named! {
    /// A desktop.
    DesktopEnv {
        Gnome: "Gnome",
        Windows: "Windows",
        Lxde: "LXDE",
        Openbox: "Openbox",
        Mate: "Mate",
        Xfce: "XFCE",
        Kde: "KDE",
        Cinnamon: "Cinnamon",
        I3: "I3",
        Aqua: "Aqua",
        Ios: "IOS",
        Android: "Android",
        WebBrowser: "Web Browser",
        Console: "Console",
        Ubuntu: "Ubuntu",
        Ermine: "Ermine",
        Orbital: "Orbital",
    }
}

/// The size of an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Width {
    /// 32 bits.
    Bits32,
    /// 64 bits.
    Bits64,
}

impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Width::Bits32 { "32 bits" } else { "64 bits" })
    }
}

impl Arch {
    pub(crate) fn here() -> Arch {
        match env::consts::ARCH {
            "wasm32" => Arch::Wasm32,
            "wasm64" => Arch::Wasm64,
            "x86_64" => Arch::X64,
            "aarch64" => Arch::Arm64,
            "x86" => Arch::I686,
            "riscv64" => Arch::Riscv64,
            other => Arch::Unknown(other.to_owned()),
        }
    }

    /// The size of an address.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](ErrorKind::InvalidData) for an unknown architecture.
    pub fn width(&self) -> Result<Width> {
        use Arch::*;
        match self {
            ArmV5 | ArmV6 | ArmV7 | I386 | I586 | I686 | Mips | MipsEl | PowerPc | Riscv32
            | Sparc | Wasm32 => Ok(Width::Bits32),
            Unknown(name) => {
                let text = format!("the size of an address of {name} is not known");
                Err(Error::new(ErrorKind::InvalidData, text))
            }
            _ => Ok(Width::Bits64),
        }
    }
}

impl Platform {
    pub(crate) fn here() -> Platform {
        match env::consts::OS {
            // `consts::OS` is empty on WASI.
            _ if cfg!(target_family = "wasm") => Platform::Unknown("WASI".to_owned()),
            "linux" => Platform::Linux,
            "macos" => Platform::MacOS,
            "freebsd" | "netbsd" | "openbsd" | "dragonfly" => Platform::Bsd,
            other => Platform::Unknown(other.to_owned()),
        }
    }
}

impl DesktopEnv {
    pub(crate) fn here() -> DesktopEnv {
        let otherwise = format!("Unknown {}", Platform::here());
        DesktopEnv::Unknown(env::var("DESKTOP_SESSION").unwrap_or(otherwise))
    }

    /// Whether it is built with GTK.
    pub fn is_gtk(&self) -> bool {
        use DesktopEnv::*;
        matches!(self, Gnome | Ubuntu | Cinnamon | Lxde | Mate | Xfce)
    }

    /// Whether it is KDE's.
    pub fn is_kde(&self) -> bool {
        *self == DesktopEnv::Kde
    }
}
