//! Putting imported rules into the rules folder: all of them or none.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;
use vigie_event::Timestamp;

use super::Plan;

/// What was imported, from where and by whom it was written, beside the rules.
const MANIFEST: &str = "IMPORTED.json";

/// Writes what `plan` takes beside `target` and puts it in its place at once: who reads the
/// folder meets either the earlier rules or the new ones.
///
/// # Errors
/// Something cannot be written; `target` is as it was.
pub fn place(plan: &Plan, target: &Path, now: Timestamp) -> anyhow::Result<()> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let parent = target.parent().unwrap_or(Path::new("."));
    // What begins with a dot is no rule yet.
    let fresh = parent.join(format!(".{name}.{}", std::process::id()));
    std::fs::create_dir_all(parent).with_context(|| cannot("make", parent))?;
    remove(&fresh)?;
    let placed = write(plan, &fresh, now).and_then(|()| exchange(&fresh, target));
    // After the exchange it is the earlier import.
    let removed = remove(&fresh);
    placed.and(removed)
}

fn cannot(what: &str, path: &Path) -> String {
    format!("cannot {what} {}", path.display())
}

fn remove(dir: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| cannot("remove", dir))
        }
        _ => Ok(()),
    }
}

fn write(plan: &Plan, dir: &Path, now: Timestamp) -> anyhow::Result<()> {
    let put = |relative: &Path, bytes: &[u8]| {
        let path: PathBuf = dir.join(relative);
        let folder = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder).with_context(|| cannot("make", folder))?;
        std::fs::write(&path, bytes).with_context(|| cannot("write", &path))
    };
    for taken in &plan.taken {
        put(&taken.relative, taken.file.bytes())?;
    }
    for licence in &plan.licences {
        let bytes = std::fs::read(licence).with_context(|| cannot("read", licence))?;
        put(Path::new(licence.file_name().unwrap_or_default()), &bytes)?;
    }
    let rules: Vec<_> = plan
        .taken
        .iter()
        .flat_map(|taken| {
            taken.rules.iter().map(|(id, title, author)| {
                let file = taken.relative.display().to_string();
                json!({"id": id, "title": title, "author": author, "file": file})
            })
        })
        .collect();
    let licences: Vec<_> =
        plan.licences.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let manifest = json!({
        "imported": now.to_string(), "from": plan.source.display().to_string(),
        "licences": licences, "rules": rules,
    });
    put(Path::new(MANIFEST), &serde_json::to_vec_pretty(&manifest)?)?;
    // On disk before it takes the place of what is there.
    let folder = std::fs::File::open(dir).with_context(|| cannot("open", dir))?;
    rustix::fs::syncfs(&folder).with_context(|| cannot("sync", dir))
}

fn exchange(fresh: &Path, target: &Path) -> anyhow::Result<()> {
    if !target.exists() {
        return std::fs::rename(fresh, target).with_context(|| cannot("make", target));
    }
    match renameat_with(CWD, fresh, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // File systems that cannot exchange: there is a moment without imported rules.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            let aside = fresh.with_extension("old");
            std::fs::rename(target, &aside).with_context(|| cannot("move", target))?;
            std::fs::rename(fresh, target)
                .or_else(|error| {
                    std::fs::rename(&aside, target)?;
                    Err(error)
                })
                .with_context(|| cannot("make", target))?;
            remove(&aside)
        }
        Err(error) => Err(error).with_context(|| cannot("exchange", target)),
    }
}
