//! Debian packages that tests against real servers need.

use std::path::Path;
use std::time::Duration;

use crate::command::{Cmd, Result, which};

/// A package with the program or file that the suite uses from it.
struct Package {
    name: &'static str,
    /// Program names are looked up in `PATH`; entries with a slash are files.
    uses: &'static [&'static str],
}

/// Everything that the real-server suite calls, and nothing more.
const PACKAGES: &[Package] = &[
    Package { name: "qemu-system-x86", uses: &["qemu-system-x86_64"] },
    Package { name: "xserver-xspice", uses: &["/usr/lib/xorg/modules/drivers/spiceqxl_drv.so"] },
    Package { name: "xserver-xorg-core", uses: &["Xorg"] },
    Package { name: "x11-xkb-utils", uses: &["xkbcomp"] },
    Package { name: "x11-utils", uses: &["xdpyinfo", "xprop", "xwininfo"] },
    Package { name: "xfonts-base", uses: &["/usr/share/fonts/X11/misc"] },
    Package { name: "openbox", uses: &["openbox"] },
    Package { name: "xdotool", uses: &["xdotool"] },
    Package { name: "xterm", uses: &["xterm"] },
    Package { name: "imagemagick", uses: &["import", "convert", "display", "animate"] },
    Package { name: "spice-client-gtk", uses: &["spicy-screenshot", "spicy"] },
    Package { name: "openssl", uses: &["openssl"] },
    Package { name: "libspice-server-dev", uses: &["/usr/include/spice-server"] },
    Package { name: "spice-vdagent", uses: &["spice-vdagent", "/usr/sbin/spice-vdagentd"] },
    Package { name: "x11-xserver-utils", uses: &["xset", "xsetroot", "xrandr"] },
    Package { name: "xclip", uses: &["xclip"] },
    Package { name: "xinput", uses: &["xinput"] },
    Package { name: "chromium", uses: &["chromium"] },
    Package { name: "firefox-esr", uses: &["firefox-esr"] },
    Package { name: "webkit2gtk-driver", uses: &["WebKitWebDriver"] },
    Package { name: "nodejs", uses: &["node"] },
    Package { name: "npm", uses: &["npm"] },
    Package { name: "websockify", uses: &["websockify"] },
    Package { name: "nginx-light", uses: &["/usr/sbin/nginx"] },
    Package { name: "haproxy", uses: &["/usr/sbin/haproxy"] },
];

/// Beside which the web client is measured, on demand.
const YARDSTICK: &[Package] = &[
    Package { name: "spice-html5", uses: &["/usr/share/spice-html5/spice_auto.html"] },
    Package { name: "python3", uses: &["python3"] },
];

/// Makes sure that everything the real-server suite calls is there.
///
/// Packages are installed when this is a Debian system and the caller is root. Everywhere else the missing parts are
/// named in the error.
pub(crate) fn ensure_servers() -> Result<()> {
    ensure(PACKAGES)
}

/// The same for the other client beside which the web client is measured.
pub(crate) fn ensure_yardstick() -> Result<()> {
    ensure(YARDSTICK)
}

fn ensure(packages: &'static [Package]) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    if can_install() {
        let apt = |args: &[&str]| {
            Cmd::new("apt-get", args)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .limit(Duration::from_secs(900))
                .run()
        };
        apt(&["update", "-q"])?;
        let mut args = vec!["install", "-y", "-q", "--no-install-recommends"];
        args.extend(&names);
        apt(&args)?;
    }
    let missing = self::missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    let mut message = String::from("the real-server suite misses:\n");
    for (package, used) in &missing {
        message.push_str(&format!("  {used} (Debian package {package})\n"));
    }
    message.push_str(&format!(
        "install it as root with: apt-get install --no-install-recommends {}\n\
         or leave these tests out with: cargo xtask test --no-servers",
        missing.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    ));
    Err(message)
}

/// Packages of which something is not there, with the first such thing.
fn missing(packages: &'static [Package]) -> Vec<(&'static str, &'static str)> {
    packages
        .iter()
        .filter_map(|package| {
            let absent = |used: &&&str| {
                if used.contains('/') { !Path::new(used).exists() } else { which(used).is_none() }
            };
            package.uses.iter().find(absent).map(|used| (package.name, *used))
        })
        .collect()
}

/// Whether packages can be installed here: a Debian system, and we are root.
fn can_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && which("apt-get").is_some()
        && Cmd::new("id", &["-u"]).output().is_ok_and(|id| id.trim() == "0")
}
