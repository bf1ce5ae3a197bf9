//! The first schema.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, blob_null, boolean, integer, text, text_null,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_initial"
    }
}

// The trait is declared without the lifetime, and the implementation must read as it does.
#[allow(elided_lifetimes_in_paths)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for (table, columns) in INDEXES {
            let mut index = Index::create();
            index.name(format!("{table}_by_{}", columns.join("_"))).table(*table);
            for column in *columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// What is looked up and sorted by. Lists are read newest first by (time, id).
const INDEXES: &[(&str, &[&str])] = &[
    ("incident", &["last_seen", "id"]),
    ("incident", &["severity", "last_seen", "id"]),
    ("incident", &["status", "last_seen", "id"]),
    ("incident", &["status", "severity"]),
    ("incident", &["to_judge", "level"]),
    ("incident", &["actor_value", "last_seen"]),
    ("alert", &["last_seen", "id"]),
    // The dashboard counts in this one alone, without touching the rows.
    ("alert", &["last_seen", "rule_id", "source_ip"]),
    ("alert", &["incident_id", "first_seen"]),
    ("alert", &["rule_id", "last_seen"]),
    ("alert", &["source_ip", "last_seen"]),
    ("verdict", &["to_decide", "severity"]),
    ("decision", &["created", "id"]),
    ("decision", &["incident_id", "created"]),
    ("decision", &["status", "created", "id"]),
    ("ban", &["created", "id"]),
    ("ban", &["status", "expires"]),
    ("ban", &["target", "created"]),
    ("ticket", &["status", "number"]),
    ("ticket", &["incident_id"]),
    ("outbox", &["status", "mode", "next_try"]),
    ("outbox", &["decision_id"]),
    ("note", &["incident_id", "id"]),
    ("session", &["user_name"]),
    ("session", &["expires"]),
    ("audit", &["target", "seq"]),
];

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).to_owned()
}

/// A foreign key that goes with what it points at.
fn belongs(
    table: &'static str,
    column: &'static str,
    to: &'static str,
    key: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(to, key)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("checkpoint")
            .col(text("consumer").primary_key())
            .col(big_integer("position"))
            .col(big_integer("snapshot_position"))
            .col(blob_null("snapshot"))
            .to_owned(),
        table("incident")
            .col(text("id").primary_key())
            .col(big_integer("revision"))
            .col(big_integer_null("judged_revision"))
            .col(boolean("to_judge"))
            .col(text("status"))
            .col(text_null("close_reason"))
            .col(text_null("owner"))
            .col(integer("level"))
            .col(integer("severity"))
            .col(big_integer("first_seen"))
            .col(big_integer("last_seen"))
            .col(text("actor_field"))
            .col(text("actor_value"))
            .col(integer("alert_count"))
            .col(text("search"))
            .col(text("body"))
            .to_owned(),
        table("alert")
            .col(text("id").primary_key())
            .col(text_null("incident_id"))
            .col(text("rule_id"))
            .col(integer("level"))
            .col(big_integer("first_seen"))
            .col(big_integer("last_seen"))
            .col(big_integer("count"))
            .col(text_null("source_ip"))
            .col(text("search"))
            .col(text("body"))
            .to_owned(),
        table("verdict")
            .col(text("incident_id"))
            .col(text("analyst"))
            .col(big_integer("revision"))
            .col(big_integer("time"))
            .col(integer("severity"))
            .col(boolean("to_decide"))
            .col(text("body"))
            .primary_key(Index::create().col("incident_id").col("analyst"))
            .foreign_key(&mut belongs("verdict", "incident_id", "incident", "id"))
            .to_owned(),
        table("decision")
            .col(text("id").primary_key())
            .col(text("incident_id"))
            .col(text("action"))
            .col(text("status"))
            .col(big_integer("created"))
            .col(big_integer_null("expires"))
            .col(text_null("verdict"))
            .col(text("body"))
            .to_owned(),
        table("ban")
            .col(text("id").primary_key())
            .col(text("target"))
            .col(text_null("incident_id"))
            .col(text_null("decision_id"))
            .col(text("status"))
            .col(text("mode"))
            .col(text("reason"))
            .col(big_integer("created"))
            .col(big_integer_null("expires"))
            .col(big_integer_null("ended"))
            .col(text_null("ended_by"))
            .to_owned(),
        table("ticket")
            .col(big_integer("number").primary_key())
            .col(text("dedup_key").unique_key())
            .col(text_null("incident_id"))
            .col(integer("severity"))
            .col(text("status"))
            .col(big_integer("created"))
            .col(big_integer_null("closed"))
            .col(text("body"))
            .to_owned(),
        table("outbox")
            .col(text("dedup_key").primary_key())
            .col(text("kind"))
            .col(text("mode"))
            .col(text_null("incident_id"))
            .col(text_null("decision_id"))
            .col(text("status"))
            .col(integer("attempts"))
            .col(big_integer("next_try"))
            .col(big_integer("created"))
            .col(text_null("last_error"))
            .col(text("payload"))
            .to_owned(),
        table("note")
            .col(big_pk_auto("id"))
            .col(text("incident_id"))
            .col(text("author"))
            .col(big_integer("time"))
            .col(text("body"))
            .foreign_key(&mut belongs("note", "incident_id", "incident", "id"))
            .to_owned(),
        table("users")
            .col(text("name").primary_key())
            .col(text("role"))
            .col(text_null("password_hash"))
            .col(text("lang"))
            .col(boolean("disabled"))
            .col(big_integer("created"))
            .col(big_integer_null("last_login"))
            .to_owned(),
        table("session")
            .col(text("token_hash").primary_key())
            .col(text("user_name"))
            .col(big_integer("created"))
            .col(big_integer("last_seen"))
            .col(big_integer("expires"))
            .col(text("client"))
            .foreign_key(&mut belongs("session", "user_name", "users", "name"))
            .to_owned(),
        table("login_link")
            .col(text("token_hash").primary_key())
            .col(text("user_name"))
            .col(big_integer("expires"))
            .foreign_key(&mut belongs("login_link", "user_name", "users", "name"))
            .to_owned(),
        table("setting").col(text("key").primary_key()).col(text("value")).to_owned(),
        table("allow")
            .col(text("target").primary_key())
            .col(text("reason"))
            .col(text("added_by"))
            .col(big_integer("created"))
            .col(big_integer_null("expires"))
            .to_owned(),
        table("audit")
            .col(big_integer("seq").primary_key())
            .col(big_integer("time"))
            .col(text("actor"))
            .col(text("action"))
            .col(text("target"))
            .col(text("detail"))
            .col(text("previous"))
            .col(text("hash").unique_key())
            .to_owned(),
        table("counter").col(text("name").primary_key()).col(big_integer("value")).to_owned(),
        table("seed_mark")
            .col(big_integer("number").primary_key())
            .col(big_integer("position"))
            .to_owned(),
    ]
}
