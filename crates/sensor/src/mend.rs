//! Advice for files that may not be read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use vigie_event::Localized;

const GROUP_READ: u32 = 0o040;

/// How to make `path` readable for the user that this process runs as.
pub(crate) fn permission(path: &Path) -> Localized {
    let number = rustix::process::geteuid().as_raw();
    let user = name_of("/etc/passwd", number);
    // The file itself where its folder lets us see it, else the folder.
    let closed = fs::metadata(path).is_err().then(|| path.parent()).flatten();
    let group = fs::metadata(closed.unwrap_or(path))
        .ok()
        .filter(|metadata| metadata.mode() & GROUP_READ != 0 && metadata.gid() != 0)
        .and_then(|metadata| name_of("/etc/group", metadata.gid()));
    if let (Some(group), Some(user)) = (group, &user) {
        // A running process keeps the groups that it began with.
        return Localized::new(
            format!("run `usermod -aG {group} {user}` as root, then start Vigie again"),
            format!("lancez `usermod -aG {group} {user}` en tant que root, puis redémarrez Vigie"),
        );
    }
    let user = user.unwrap_or_else(|| number.to_string());
    let command = match closed {
        Some(folder) => format!("setfacl -m u:{user}:rX {} {}", quoted(folder), quoted(path)),
        None => format!("setfacl -m u:{user}:r {}", quoted(path)),
    };
    Localized::new(
        format!("run `{command}` as root"),
        format!("lancez `{command}` en tant que root"),
    )
}

/// A path as one word of a shell command.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '.' | '_' | '-');
    // A name that begins with a dash would be an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
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
    fn paths_are_one_word() {
        for (path, expected) in [
            ("/var/log/auth.log", "/var/log/auth.log"),
            ("-x.log", "./-x.log"),
            ("/srv/a b.log", "'/srv/a b.log'"),
            ("it's; rm *", "'it'\\''s; rm *'"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }

    #[test]
    fn finds_names_by_number() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "root:x:0:\nadm:x:4:syslog\nbroken\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(name_of(path, 4).as_deref(), Some("adm"));
        assert_eq!(name_of(path, 5), None);
    }
}
