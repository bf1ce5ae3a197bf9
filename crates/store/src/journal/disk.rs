//! File operations, behind a trait so that tests can lose and tear what was not made durable.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::JournalError;

/// The folder of a journal.
pub(super) trait Disk: Send + Sync + 'static {
    /// Names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new empty file for writing, in place of one of that name.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// An existing file, for writing or for reading only.
    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn DiskFile>>;
    /// Renames, in place of a file called `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_names(&self) -> io::Result<()>;
    /// Bytes free for this process.
    fn free(&self) -> io::Result<u64>;
    /// The path of a file, for messages; of the folder for the empty name.
    fn path(&self, name: &str) -> PathBuf;
    /// Four bytes that nobody can foresee.
    fn salt(&self) -> u32;
}

/// An open file.
pub(super) trait DiskFile: Send + Sync {
    /// Reads up to `buffer.len()` bytes; 0 at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`; on an error some may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Sets the length.
    fn truncate(&self, length: u64) -> io::Result<()>;
    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;
    /// The length in bytes.
    fn length(&self) -> io::Result<u64>;
}

/// Fills `buffer` from `offset` on as far as the file goes; returns how much it got.
pub(super) fn read_full(file: &dyn DiskFile, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..)
        && !rest.is_empty()
    {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A folder of the machine.
pub(super) struct RealDisk {
    dir: PathBuf,
    folder: File,
}

const LOCK: &str = "lock";

impl RealDisk {
    /// Makes `dir` where it does not exist (readable for its owner only) and locks it; the lock
    /// is held until the file returned is closed.
    pub(super) fn open(dir: &Path) -> Result<(Self, File), JournalError> {
        let failed = |doing, path: &Path| {
            let path = path.to_owned();
            move |error| JournalError::io(doing, path, error)
        };
        let known = dir.exists();
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(failed("make", dir))?;
        if !known && let Some(parent) = dir.parent().filter(|parent| *parent != Path::new("")) {
            let parent_folder = File::open(parent).map_err(failed("open", parent))?;
            parent_folder.sync_all().map_err(failed("sync", parent))?;
        }
        let lock = lock(dir)?;
        let folder = File::open(dir).map_err(failed("open", dir))?;
        Ok((Self { dir: dir.to_owned(), folder }, lock))
    }
}

impl RealDisk {
    /// A folder that somebody else may have open, for reading only.
    pub(super) fn view(dir: &Path) -> Result<Self, JournalError> {
        let folder =
            File::open(dir).map_err(|error| JournalError::io("open", dir.to_owned(), error))?;
        Ok(Self { dir: dir.to_owned(), folder })
    }
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let path = dir.join(LOCK);
    let failed = |error| JournalError::io("lock", path.clone(), error);
    let mut lock = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = (&lock).take(20).read_to_string(&mut pid);
            let pid = pid.trim();
            let known = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
            let pid = if known { pid } else { "unknown" }.to_owned();
            return Err(JournalError::Locked { dir: dir.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    lock.set_len(0).map_err(failed)?;
    writeln!(lock, "{}", std::process::id()).map_err(failed)?;
    Ok(lock)
}

impl Disk for RealDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.dir.join(name))?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str, write: bool) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(write).open(self.dir.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.dir.join(name))
    }

    fn sync_names(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    fn free(&self) -> io::Result<u64> {
        let space = rustix::fs::fstatvfs(&self.folder)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.dir.clone() } else { self.dir.join(name) }
    }

    fn salt(&self) -> u32 {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(std::process::id()) as u32
    }
}

impl DiskFile for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}
