//! Reads the shipped rules and default pipelines ahead: to read YAML is two fifths of what a scan
//! does before its first line. `shipped.rs` in the build's output folder names each file with its
//! documents as [`vigie_yaml::pack`] writes them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

fn main() {
    if let Err(error) = read_all_ahead() {
        println!("cargo::error={error:#}");
    }
}

fn read_all_ahead() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let mut source = String::new();
    for (name, folder) in [("RULES", "rules"), ("PIPELINES", "pipelines/default")] {
        writeln!(source, "static {name}: &[(&str, &[u8])] = &[")?;
        for (file, documents) in read_ahead(&root, folder)? {
            let packed = file.replace('/', "-");
            std::fs::write(out.join(&packed), documents)
                .with_context(|| format!("cannot write {packed}"))?;
            let place = format!("concat!(env!(\"OUT_DIR\"), \"/{packed}\")");
            writeln!(source, "    ({file:?}, include_bytes!({place})),")?;
        }
        writeln!(source, "];")?;
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
    std::fs::write(out.join("shipped.rs"), source).context("cannot write shipped.rs")
}

/// The YAML files of `folder`, by name, with their packed documents.
fn read_ahead(root: &Path, folder: &str) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    let dir = root.join(folder);
    for entry in dir.read_dir().with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "yml") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = format!("{folder}/{name}");
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
        let packed = vigie_yaml::pack(vigie_yaml::documents(&text)).map_err(|refusal| {
            anyhow!("{file}:{}:{}: {}", refusal.at.line, refusal.at.column, refusal.message)
        })?;
        files.push((file, packed));
    }
    files.sort();
    Ok(files)
}
