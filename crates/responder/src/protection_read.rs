//! Reads from `/proc` and `/etc/resolv.conf` whom this machine needs, starting no program.
//!
//! The formats are the kernel's (`proc(5)`, `net/ipv4/fib_trie.c`, `net/ipv6/addrconf.c`,
//! `Documentation/networking/proc_net_tcp.rst`). A file that cannot be read, or a line that is
//! not understood, means that protection cannot be evaluated; only what IPv6 or a resolver alone
//! would provide may be absent, because machines without them exist.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use vigie_event::{Timestamp, unmapped};

use crate::net;
use crate::protection::{Guard, GuardKind, Protection};

/// No file read here is longer; a machine with more sessions than fit is told apart by the
/// error, not by a cut list.
const MAX_BYTES: u64 = 64 << 20;
/// `RTF_GATEWAY` in `include/uapi/linux/route.h`.
const ROUTE_GATEWAY: u32 = 0x2;
/// `TCP_ESTABLISHED` in `include/net/tcp_states.h`.
const ESTABLISHED: &str = "01";

/// Which local ports people administer this machine through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminPorts {
    /// SSH: 22, and others where `sshd` listens.
    pub ssh: Vec<u16>,
    /// Vigie's console.
    pub console: Vec<u16>,
}

impl Default for AdminPorts {
    /// SSH on 22, the console on 6080.
    fn default() -> Self {
        Self { ssh: vec![22], console: vec![6080] }
    }
}

impl Protection {
    /// Finds out whom this machine needs: its addresses, default gateways, DNS servers and the
    /// peers of live sessions. A few small files: read it anew for each decision.
    pub fn read(ports: &AdminPorts, now: Timestamp) -> Self {
        Self::read_below(Path::new("/"), ports, now)
    }

    /// As [`Protection::read`], from the files below `root`.
    pub fn read_below(root: &Path, ports: &AdminPorts, now: Timestamp) -> Self {
        match guards(root, ports) {
            Ok(guards) => Self::of(guards.into_iter().collect(), now),
            Err(why) => Self::unknown(why, now),
        }
    }
}

type Found = BTreeSet<Guard>;

fn guards(root: &Path, ports: &AdminPorts) -> Result<Found, String> {
    let mut found = Found::new();
    in_file(root, "proc/net/fib_trie", &mut found, own_v4)?;
    in_file(root, "proc/net/route", &mut found, gateways_v4)?;
    in_file(root, "proc/net/tcp", &mut found, |text, found| sessions(text, ports, found))?;
    in_optional(root, "proc/net/if_inet6", &mut found, own_v6)?;
    in_optional(root, "proc/net/ipv6_route", &mut found, gateways_v6)?;
    in_optional(root, "proc/net/tcp6", &mut found, |text, found| sessions(text, ports, found))?;
    in_optional(root, "etc/resolv.conf", &mut found, resolvers)?;
    // systemd-resolved puts only its stub into resolv.conf and the true servers here.
    in_optional(root, "run/systemd/resolve/resolv.conf", &mut found, resolvers)?;
    Ok(found)
}

fn in_file(
    root: &Path,
    name: &str,
    found: &mut Found,
    read: impl FnOnce(&str, &mut Found) -> Option<()>,
) -> Result<(), String> {
    match load(&root.join(name)) {
        Ok(text) => {
            read(&text, found).ok_or_else(|| format!("a line of /{name} is not understood"))
        }
        Err(error) => Err(format!("/{name} cannot be read: {error}")),
    }
}

fn in_optional(
    root: &Path,
    name: &str,
    found: &mut Found,
    read: impl FnOnce(&str, &mut Found) -> Option<()>,
) -> Result<(), String> {
    match load(&root.join(name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(text) => {
            read(&text, found).ok_or_else(|| format!("a line of /{name} is not understood"))
        }
        Err(error) => Err(format!("/{name} cannot be read: {error}")),
    }
}

fn load(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    if read as u64 >= MAX_BYTES {
        return Err(std::io::Error::other("it is longer than 64 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn add(found: &mut Found, address: IpAddr, kind: GuardKind) {
    let address = unmapped(address);
    // Those are always protected; a session with oneself adds nothing.
    if !address.is_unspecified() && !address.is_loopback() {
        found.insert(Guard { network: net::single(address), kind });
    }
}

/// `|-- 192.0.2.10` followed by `/32 host LOCAL`.
fn own_v4(text: &str, found: &mut Found) -> Option<()> {
    let mut leaf: Option<Ipv4Addr> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(address) = line.strip_prefix("|-- ") {
            leaf = Some(address.trim().parse().ok()?);
        } else if line == "/32 host LOCAL" {
            add(found, IpAddr::V4(leaf?), GuardKind::OwnAddress);
        }
    }
    Some(())
}

/// `Iface Destination Gateway Flags … Mask …`, addresses as hexadecimal numbers in the
/// machine's byte order.
fn gateways_v4(text: &str, found: &mut Found) -> Option<()> {
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let mut columns = line.split_whitespace().skip(1);
        let destination = columns.next()?;
        let gateway = v4_of(columns.next()?)?;
        let flags = u32::from_str_radix(columns.next()?, 16).ok()?;
        if v4_of(destination)?.is_unspecified() && flags & ROUTE_GATEWAY != 0 {
            add(found, IpAddr::V4(gateway), GuardKind::Gateway);
        }
    }
    Some(())
}

/// `address index length scope flags device`, the address in network byte order.
fn own_v6(text: &str, found: &mut Found) -> Option<()> {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let address = line.split_whitespace().next()?;
        let bits = u128::from_str_radix(address, 16).ok()?;
        add(found, IpAddr::V6(Ipv6Addr::from_bits(bits)), GuardKind::OwnAddress);
    }
    Some(())
}

/// `destination length source length next-hop …`, addresses in network byte order.
fn gateways_v6(text: &str, found: &mut Found) -> Option<()> {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let mut columns = line.split_whitespace();
        let destination = u128::from_str_radix(columns.next()?, 16).ok()?;
        let length = u8::from_str_radix(columns.next()?, 16).ok()?;
        let next_hop = u128::from_str_radix(columns.nth(2)?, 16).ok()?;
        if destination == 0 && length == 0 && next_hop != 0 {
            add(found, IpAddr::V6(Ipv6Addr::from_bits(next_hop)), GuardKind::Gateway);
        }
    }
    Some(())
}

/// `sl local remote state …`, each end as `address:port` in hexadecimal.
fn sessions(text: &str, ports: &AdminPorts, found: &mut Found) -> Option<()> {
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let mut columns = line.split_whitespace().skip(1);
        let local = columns.next()?;
        let remote = columns.next()?;
        let state = columns.next()?;
        if state != ESTABLISHED {
            continue;
        }
        let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
        let kind = if ports.ssh.contains(&port) {
            GuardKind::SshSession
        } else if ports.console.contains(&port) {
            GuardKind::ConsoleSession
        } else {
            continue;
        };
        add(found, address_of(remote.rsplit_once(':')?.0)?, kind);
    }
    Some(())
}

/// `nameserver 192.0.2.53`; a zone such as `fe80::1%eth0` is cut off. What is no address is
/// skipped, as the resolver does (`resolv.conf(5)`), so this never fails.
#[allow(clippy::unnecessary_wraps)]
fn resolvers(text: &str, found: &mut Found) -> Option<()> {
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        let address = words.next().and_then(|word| word.split('%').next()?.parse().ok());
        if let Some(address) = address {
            add(found, address, GuardKind::DnsServer);
        }
    }
    Some(())
}

/// Hexadecimal words in the machine's byte order: one word in IPv4, four in IPv6.
fn address_of(hex: &str) -> Option<IpAddr> {
    if hex.len() == 8 {
        return v4_of(hex).map(IpAddr::V4);
    }
    if hex.len() != 32 {
        return None;
    }
    let mut octets = [0; 16];
    for (index, chunk) in octets.chunks_exact_mut(4).enumerate() {
        let word = u32::from_str_radix(hex.get(index * 8..index * 8 + 8)?, 16).ok()?;
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    Some(IpAddr::from(octets))
}

fn v4_of(hex: &str) -> Option<Ipv4Addr> {
    u32::from_str_radix(hex, 16).ok().map(|word| Ipv4Addr::from(word.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    // As a little-endian machine writes them.
    const FIB_TRIE: &str = "Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.10
           /32 host LOCAL
Local:
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 192.0.2.10
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
";
    const ROUTE: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n\
        eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
        eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue\n\
           0: 00000000:0016 00000000:0000 0A 00000000:00000000\n\
           1: 0A0200C0:0016 097100CB:D431 01 00000000:00000000\n\
           2: 0A0200C0:17C0 087100CB:D432 01 00000000:00000000\n\
           3: 0A0200C0:01BB 077100CB:D433 01 00000000:00000000\n\
           4: 0A0200C0:0016 067100CB:D434 06 00000000:00000000\n";
    const TCP6: &str = "  sl  local_address remote_address st\n\
           0: 0000000000000000FFFF00000A0200C0:0016 0000000000000000FFFF0000057100CB:C001 01 0\n\
           1: B80D0120000000000000000001000000:0016 B80D0120000000000000000099000000:C001 01 0\n";
    const IF_INET6: &str = "20010db8000000000000000000000001 02 40 00 80     eth0\n\
        00000000000000000000000000000001 01 80 10 80       lo\n";
    const IPV6_ROUTE: &str = "20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n\
        00000000000000000000000000000000 00 00000000000000000000000000000000 00 20010db80000000000000000000000fe 00000400 00000001 00000000 00000003 eth0\n";
    const RESOLV: &str = "# by hand\nnameserver 198.51.100.53\nnameserver fe80::1%eth0\nnameserver 127.0.0.53\noptions edns0\n";

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn read(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let root = machine(files);
        let protection = Protection::read_below(root.path(), &AdminPorts::default(), NOW);
        let guards = protection.guards()?;
        Ok(guards
            .iter()
            .map(|guard| format!("{:?} {}", guard.kind, net::display(&guard.network)))
            .collect())
    }

    const V4: [(&str, &str); 3] =
        [("proc/net/fib_trie", FIB_TRIE), ("proc/net/route", ROUTE), ("proc/net/tcp", TCP)];

    #[test]
    #[cfg(target_endian = "little")]
    fn finds_whom_this_machine_needs() {
        let mut files = V4.to_vec();
        files.extend([
            ("proc/net/tcp6", TCP6),
            ("proc/net/if_inet6", IF_INET6),
            ("proc/net/ipv6_route", IPV6_ROUTE),
            ("etc/resolv.conf", RESOLV),
            ("run/systemd/resolve/resolv.conf", "nameserver 198.51.100.54\n"),
        ]);
        let mut found = read(&files).unwrap();
        found.sort();
        assert_eq!(
            found,
            [
                "ConsoleSession 203.0.113.8",
                "DnsServer 198.51.100.53",
                "DnsServer 198.51.100.54",
                "DnsServer fe80::1",
                "Gateway 192.0.2.1",
                "Gateway 2001:db8::fe",
                "OwnAddress 192.0.2.10",
                "OwnAddress 2001:db8::1",
                "SshSession 2001:db8::99",
                "SshSession 203.0.113.5",
                "SshSession 203.0.113.9",
            ]
        );
    }

    #[test]
    fn a_machine_without_ipv6_and_resolver_is_complete() {
        assert!(read(&V4).is_ok());
    }

    #[test]
    fn what_cannot_be_read_protects_everybody() {
        for missing in 0..V4.len() {
            let mut files = V4.to_vec();
            let (name, _) = files.remove(missing);
            let why = read(&files).expect_err(name);
            assert!(why.contains(name), "{why}");
        }
        for broken in 0..V4.len() {
            let mut files = V4.to_vec();
            files[broken].1 = "x\n  |-- what\nis this?\n";
            let why = read(&files).expect_err(files[broken].0);
            assert!(why.contains("not understood"), "{why}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn reads_the_machine_it_runs_on() {
        let protection = Protection::read(&AdminPorts::default(), NOW);
        if let Err(why) = protection.guards() {
            eprintln!("skipped: {why}");
            return;
        }
        assert!(protection.check("127.0.0.1".parse().unwrap(), NOW).is_err());
    }
}
