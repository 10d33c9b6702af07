//! Which process listens on a port, from /proc.

use std::fmt;
use std::fs;

/// A process, by number and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}, {}", self.pid, self.name)
    }
}

impl Holder {
    /// `None` when the system does not tell, as for processes of other users.
    pub(super) fn of(port: u16) -> Option<Self> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let inodes: Vec<String> = tables
            .iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|t| listening(&t, port))
            .collect();
        let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
        let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|pid| has_open(*pid, &wanted)).map(Self::named).next()
    }

    /// By its name, which the system cuts to 15 bytes.
    pub(super) fn is_this_program(&self) -> bool {
        self.name.len() >= 15 && "meshcore-analyzer".starts_with(&self.name)
    }

    fn named(pid: u32) -> Self {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Self { pid, name: name.trim().to_owned() }
    }
}

/// The inodes of the sockets that listen on a port (<https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt>).
fn listening(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|words| words.get(3) == Some(&LISTEN))
        .filter(|words| words.get(1).is_some_and(|local| local.ends_with(&wanted)))
        .filter_map(|words| words.get(9).map(|&inode| inode.to_owned()))
        .collect()
}

fn has_open(pid: u32, links: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.filter_map(Result::ok).any(|file| {
        fs::read_link(file.path()).is_ok_and(|to| links.iter().any(|link| to.as_os_str() == link.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_port_of_our_own_is_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(Holder::of(port).map(|holder| holder.pid), Some(std::process::id()));
        drop(listener);
        assert_eq!(Holder::of(port), None);
    }
}
