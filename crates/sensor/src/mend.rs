//! Advice for files that may not be read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use vigie_event::Localized;

const GROUP_READ: u32 = 0o040;

/// How to make `path` readable for the user that this process runs as.
pub(crate) fn permission(path: &Path) -> Localized {
    let user = name_of("/etc/passwd", rustix::process::geteuid().as_raw())
        .unwrap_or_else(|| "vigie".to_owned());
    // The file itself where its folder lets us see it, else the folder.
    let metadata = fs::metadata(path)
        .ok()
        .or_else(|| path.parent().and_then(|parent| fs::metadata(parent).ok()));
    let group = metadata
        .filter(|metadata| metadata.mode() & GROUP_READ != 0 && metadata.gid() != 0)
        .and_then(|metadata| name_of("/etc/group", metadata.gid()));
    let command = match group {
        Some(group) => format!("usermod -aG {group} {user}"),
        None => format!("setfacl -m u:{user}:r {}", path.display()),
    };
    Localized::new(
        format!("run `{command}` as root, then start Vigie again"),
        format!("lancez `{command}` en tant que root, puis redémarrez Vigie"),
    )
}

/// The name with this number in a file of `name:…:number:…` lines.
fn name_of(file: &str, number: u32) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_by_number() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "root:x:0:\nadm:x:4:syslog\nbroken\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(name_of(path, 4).as_deref(), Some("adm"));
        assert_eq!(name_of(path, 5), None);
    }
}
