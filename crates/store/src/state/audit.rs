//! The audit log: who changed what, each row chained to the one before by SHA-256.
//!
//! A row's hash is the SHA-256, in lowercase hexadecimal, of these texts in order, each preceded
//! by its length in bytes as a 64-bit little-endian number: the hash of the row before (64 zeros
//! for the first), sequence number (decimal, from 1), time (RFC 3339, microseconds, `Z`), actor,
//! action, target, detail (compact JSON). So an exported log can be checked without Vigie.
//!
//! The chain shows a changed, inserted or removed row. It cannot show that rows are missing at its
//! end: keep the [`AuditReport::head`] elsewhere to prove that.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vigie_event::Timestamp;

use super::entity::audit;
use super::page::{Key, newest_first};
use super::rows::{time, to_body};
use super::{Page, PageRequest, Result, State};

/// What stands for the row before the first.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Rows read at a time when the chain is verified.
const VERIFY_ROWS: u64 = 1_000;

/// One change, by a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When.
    #[serde(rename = "@timestamp")]
    pub time: Timestamp,
    /// Who.
    pub actor: String,
    /// What, such as `incident.status`, `ban.lift`, `user.create`.
    pub action: String,
    /// To which thing: an identifier, a name, a key.
    pub target: String,
    /// More about it, as compact JSON text; as text, because the hash covers each byte.
    pub detail: String,
    /// The hash of the row before.
    pub previous: String,
    /// The hash of this row.
    pub hash: String,
}

impl AuditRow {
    /// The hash that this row must have.
    pub fn expected_hash(&self) -> String {
        let mut hash = Sha256::new();
        let (seq, time) = (self.seq.to_string(), self.time.to_string());
        for text in
            [&self.previous, &seq, &time, &self.actor, &self.action, &self.target, &self.detail]
        {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        let mut hex = String::with_capacity(64);
        for byte in hash.finalize() {
            for digit in [byte >> 4, byte & 0xF] {
                hex.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        hex
    }
}

/// Where the chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditBreak {
    /// The row at which it shows.
    pub seq: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Rows that were checked and are whole.
    pub rows: u64,
    /// The hash of the last of them: whoever keeps it can show later that none is missing.
    pub head: String,
    /// The first break; `None`: the chain is whole.
    pub broken: Option<AuditBreak>,
}

/// Checks rows one after the other, from the first; needs no database.
#[derive(Clone, Debug)]
pub struct AuditChain {
    rows: u64,
    head: String,
}

impl Default for AuditChain {
    fn default() -> Self {
        Self { rows: 0, head: BEGINNING.to_owned() }
    }
}

impl AuditChain {
    /// Checks that `row` follows the one before.
    ///
    /// # Errors
    /// It does not: what is wrong with it.
    pub fn follow(&mut self, row: &AuditRow) -> std::result::Result<(), AuditBreak> {
        let wrong = |problem: String| Err(AuditBreak { seq: row.seq, problem });
        if row.seq != self.rows + 1 {
            return wrong(format!("row {} is missing", self.rows + 1));
        }
        if row.previous != self.head {
            return wrong("it does not follow the row before".to_owned());
        }
        if row.hash != row.expected_hash() {
            return wrong("its content was changed".to_owned());
        }
        self.rows = row.seq;
        self.head.clone_from(&row.hash);
        Ok(())
    }

    /// What was found so far, with `broken` where a row did not follow.
    pub fn report(self, broken: Option<AuditBreak>) -> AuditReport {
        AuditReport { rows: self.rows, head: self.head, broken }
    }
}

/// Which audit rows are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this person.
    pub actor: Option<String>,
    /// Of this kind.
    pub action: Option<String>,
    /// About this thing.
    pub target: Option<String>,
}

impl State {
    /// Audit rows by page, newest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditRow>> {
        use audit::Column::{Action, Actor, Hash, Seq, Target};
        let mut query = audit::Entity::find();
        for (column, wanted) in
            [(Actor, &filter.actor), (Action, &filter.action), (Target, &filter.target)]
        {
            if let Some(wanted) = wanted {
                query = query.filter(column.eq(wanted));
            }
        }
        let query = newest_first(query, &[Seq], Hash, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            let page = Page::cut(rows, page.size(), |row| Key::new([row.seq], &row.hash));
            page.try_map(|row| Ok(stored(row)))
        })
        .await
    }

    /// The rows after number `after`, oldest first, at most `limit`: for exports.
    pub async fn audit_after(&self, after: u64, limit: u64) -> Result<Vec<AuditRow>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.read(async |db| {
            let rows = audit::Entity::find()
                .filter(audit::Column::Seq.gt(after))
                .order_by_asc(audit::Column::Seq)
                .limit(limit)
                .all(db)
                .await?;
            Ok(rows.into_iter().map(stored).collect())
        })
        .await
    }

    /// Checks the whole chain.
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        let mut chain = AuditChain::default();
        let mut after = 0;
        loop {
            let rows = self.audit_after(after, VERIFY_ROWS).await?;
            let Some(last) = rows.last() else { return Ok(chain.report(None)) };
            after = last.seq;
            for row in &rows {
                if let Err(broken) = chain.follow(row) {
                    return Ok(chain.report(Some(broken)));
                }
            }
        }
    }

    /// Notes what somebody did that changed nothing in the state, such as signing in.
    pub async fn note_in_audit(
        &self,
        by: &str,
        action: &str,
        target: &str,
        detail: serde_json::Value,
        now: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| write(tx, &Change { by, action, target, detail, now }).await).await
    }
}

/// A change to be noted.
pub(super) struct Change<'c> {
    pub by: &'c str,
    pub action: &'c str,
    pub target: &'c str,
    pub detail: serde_json::Value,
    pub now: Timestamp,
}

/// Adds the next row to the chain.
pub(super) async fn write(tx: &DatabaseTransaction, change: &Change<'_>) -> Result<()> {
    let last: Option<(i64, String)> = audit::Entity::find()
        .select_only()
        .columns([audit::Column::Seq, audit::Column::Hash])
        .order_by_desc(audit::Column::Seq)
        .into_tuple()
        .one(tx)
        .await?;
    let (seq, previous) = last.unwrap_or_else(|| (0, BEGINNING.to_owned()));
    let mut row = AuditRow {
        seq: seq as u64 + 1,
        time: change.now,
        actor: change.by.to_owned(),
        action: change.action.to_owned(),
        target: change.target.to_owned(),
        detail: to_body("audit detail", &change.detail)?,
        previous,
        hash: String::new(),
    };
    row.hash = row.expected_hash();
    let row = audit::ActiveModel {
        seq: Set(row.seq as i64),
        time: Set(row.time.nanos()),
        actor: Set(row.actor),
        action: Set(row.action),
        target: Set(row.target),
        detail: Set(row.detail),
        previous: Set(row.previous),
        hash: Set(row.hash),
    };
    audit::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

fn stored(row: audit::Model) -> AuditRow {
    AuditRow {
        seq: row.seq as u64,
        time: time(row.time),
        actor: row.actor,
        action: row.action,
        target: row.target,
        detail: row.detail,
        previous: row.previous,
        hash: row.hash,
    }
}
