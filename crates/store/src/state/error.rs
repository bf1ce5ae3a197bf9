//! What can go wrong with the state.

use sea_orm::{DbErr, RuntimeErr, SqlErr, SqlxError};

/// The state could not be read or changed. `path` is empty for a database without a file.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The database cannot be opened.
    #[error(
        "cannot open the state database {path}: {problem}; check that its folder exists, that the user who runs Vigie owns it, and that it has free space"
    )]
    Open {
        /// The database file.
        path: String,
        /// What the database said.
        problem: String,
    },
    /// A newer version of Vigie wrote the database.
    #[error(
        "the state database {path} was written by a newer version of Vigie (schema step `{step}`); run that version or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// The database file.
        path: String,
        /// The first step that this version does not know.
        step: String,
    },
    /// The disk is full.
    #[error(
        "no space left for the state database {path}; free some space on its disk, nothing was changed"
    )]
    Full {
        /// The database file.
        path: String,
    },
    /// The file or its folder cannot be written.
    #[error(
        "the state database {path} cannot be written; make the file and its folder writable for the user who runs Vigie, or remount the disk read-write"
    )]
    ReadOnly {
        /// The database file.
        path: String,
    },
    /// The file is damaged or no database.
    #[error("the state database {path} is damaged ({problem}); stop Vigie and restore a backup")]
    Damaged {
        /// The database file.
        path: String,
        /// What the database said.
        problem: String,
    },
    /// Nothing has this identifier.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for, such as `incident`.
        what: &'static str,
        /// Its identifier, cut at 80 characters.
        id: String,
    },
    /// The change contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// The change is not well formed.
    #[error("{0}")]
    Invalid(String),
    /// The `after` of a page request is none that a page gave.
    #[error("the page cursor `{0}` is none that a page gave")]
    BadCursor(String),
    /// A stored row does not read as what it should be.
    #[error("a stored {what} cannot be read: {problem}")]
    Body {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        problem: String,
    },
    /// Anything else that the database said.
    #[error("state database {path}: {source}")]
    Database {
        /// The database file.
        path: String,
        /// What the database said.
        source: DbErr,
    },
}

impl StateError {
    /// Nothing has this identifier.
    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound { what, id: id.to_string().chars().take(80).collect() }
    }

    /// The same error, naming the database file.
    pub(crate) fn at(mut self, file: &str) -> Self {
        match &mut self {
            Self::Open { path, .. }
            | Self::NewerSchema { path, .. }
            | Self::Full { path }
            | Self::ReadOnly { path }
            | Self::Damaged { path, .. }
            | Self::Database { path, .. }
                if path.is_empty() =>
            {
                file.clone_into(path);
            }
            _ => {}
        }
        self
    }
}

/// SQLite's primary result codes (<https://www.sqlite.org/rescode.html>).
const READONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

impl From<DbErr> for StateError {
    fn from(error: DbErr) -> Self {
        let path = String::new();
        if let Some(SqlErr::UniqueConstraintViolation(what)) = error.sql_err() {
            return Self::Conflict(format!("there is one already ({what})"));
        }
        if let Some(SqlErr::ForeignKeyConstraintViolation(_)) = error.sql_err() {
            return Self::Conflict("it refers to something that is not there".to_owned());
        }
        let Some((code, problem)) = sqlite_code(&error) else {
            return Self::Database { path, source: error };
        };
        // The low byte is the primary code; the rest tells the kind.
        match code & 0xFF {
            FULL => Self::Full { path },
            READONLY => Self::ReadOnly { path },
            CORRUPT | NOTADB => Self::Damaged { path, problem },
            CANTOPEN => Self::Open { path, problem },
            _ => Self::Database { path, source: error },
        }
    }
}

fn sqlite_code(error: &DbErr) -> Option<(i32, String)> {
    let (DbErr::Conn(RuntimeErr::SqlxError(inner))
    | DbErr::Exec(RuntimeErr::SqlxError(inner))
    | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    let SqlxError::Database(inner) = inner.as_ref() else { return None };
    Some((inner.code()?.parse().ok()?, inner.message().to_owned()))
}
