//! Why a file cannot be read, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use vigie_event::{Lang, Localized};

use crate::mend;
use crate::read::Compression;

/// A file cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("{}: no such file; check the name", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file may not be read.
    #[error("{}: permission denied; {}", path.display(), mend.en)]
    Denied {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        mend: Localized,
    },
    /// The path leads to a directory.
    #[error("{}: is a directory; name the files in it", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A Windows event log whose header is damaged or cut off.
    #[error(
        "{}: damaged Windows event log, its header cannot be read ({error}); export it anew with \
         `wevtutil epl`, or copy it whole",
        path.display()
    )]
    Header {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        error: io::Error,
    },
    /// The compressed data is damaged or ends too early.
    #[error(
        "{}: damaged {compression} data near byte {offset} of the file ({error}); \
         the {delivered} bytes before it were read",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// How it is compressed.
        compression: Compression,
        /// Offset in the compressed file up to which it had been taken in, in bytes.
        offset: u64,
        /// Decompressed bytes that were read before.
        delivered: u64,
        /// What the decompressor says.
        error: io::Error,
    },
    /// Reading failed.
    #[error("{}: cannot be read at byte {offset}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Offset in the file, in bytes.
        offset: u64,
        /// What the system says.
        error: io::Error,
    },
}

impl ReadError {
    /// What is wrong and what to do about it, in one sentence without a full stop.
    pub fn sentence(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::Missing { path } => {
                format!("{} : ce fichier n’existe pas ; vérifiez son nom", path.display())
            }
            Self::Denied { path, mend } => {
                format!("{} : lecture refusée ; {}", path.display(), mend.get(lang))
            }
            Self::Directory { path } => {
                format!(
                    "{} : c’est un dossier ; nommez les fichiers qu’il contient",
                    path.display()
                )
            }
            Self::Header { path, error } => format!(
                "{} : journal d’événements Windows endommagé, son en-tête est illisible \
                 ({error}) ; exportez-le de nouveau avec `wevtutil epl`, ou copiez-le en entier",
                path.display()
            ),
            Self::Corrupt { path, compression, offset, delivered, error } => format!(
                "{} : données {compression} endommagées vers l’octet {offset} du fichier \
                 ({error}) ; les {delivered} octets précédents ont été lus",
                path.display()
            ),
            Self::Io { path, offset, error } => {
                format!("{} : lecture impossible à l’octet {offset} : {error}", path.display())
            }
        }
    }

    /// An EVTX file that cannot be begun.
    pub(crate) fn header(path: &Path, error: io::Error) -> Self {
        Self::Header { path: path.to_owned(), error }
    }

    pub(crate) fn opening(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            io::ErrorKind::PermissionDenied => {
                let mend = mend::permission(&path);
                Self::Denied { path, mend }
            }
            io::ErrorKind::IsADirectory => Self::Directory { path },
            _ => Self::Io { path, offset: 0, error },
        }
    }
}
