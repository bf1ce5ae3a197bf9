//! People who may sign in.

use std::fmt;
use std::str::FromStr;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vigie_event::{Lang, Timestamp};

use super::audit::{self, Change};
use super::entity::{session, user};
use super::rows::{from_name, time, time_opt};
use super::{Result, State, StateError};

/// What somebody may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    #[default]
    Viewer,
    /// Look, and work on incidents, bans, tickets and approvals.
    Analyst,
    /// All, with users and settings.
    Admin,
}

impl Role {
    /// All roles, from least to most.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Analyst, Self::Admin];

    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            StateError::Invalid(format!("`{text}` is no role (admin, analyst, viewer)"))
        })
    }
}

/// Somebody who may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name that they sign in with.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their password's hash, opaque here; `None`: they can sign in by link only.
    pub password_hash: Option<String>,
    /// The language that they read.
    pub lang: Lang,
    /// Whether they are kept from signing in.
    pub disabled: bool,
    /// Since when.
    pub created: Timestamp,
    /// When they last signed in.
    pub last_login: Option<Timestamp>,
}

impl State {
    /// Adds a user.
    ///
    /// # Errors
    /// The name is taken, empty, longer than 64 characters, or holds control characters or spaces
    /// at its ends.
    pub async fn create_user(
        &self,
        name: &str,
        role: Role,
        password_hash: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<User> {
        check_name(name)?;
        let created = User {
            name: name.to_owned(),
            role,
            password_hash: password_hash.map(str::to_owned),
            lang: Lang::default(),
            disabled: false,
            created: now,
            last_login: None,
        };
        self.write(async |tx| {
            if user::Entity::find_by_id(name).one(tx).await?.is_some() {
                return Err(StateError::Conflict(format!("there is a user `{name}` already")));
            }
            let row = user::ActiveModel {
                name: Set(created.name.clone()),
                role: Set(role.name().to_owned()),
                password_hash: Set(created.password_hash.clone()),
                lang: Set(created.lang.code().to_owned()),
                disabled: Set(false),
                created: Set(now.nanos()),
                last_login: Set(None),
            };
            user::Entity::insert(row).exec_without_returning(tx).await?;
            let detail = json!({ "role": role });
            audit::write(tx, &Change { by, action: "user.create", target: name, detail, now }).await
        })
        .await?;
        Ok(created)
    }

    /// The user called `name`.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>> {
        self.read(async |db| user::Entity::find_by_id(name).one(db).await?.map(stored).transpose())
            .await
    }

    /// All users by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        self.read(async |db| {
            let rows = user::Entity::find().order_by_asc(user::Column::Name).all(db).await?;
            rows.into_iter().map(stored).collect()
        })
        .await
    }

    /// How many users there are.
    pub async fn user_count(&self) -> Result<u64> {
        self.read(async |db| Ok(user::Entity::find().count(db).await?)).await
    }

    /// Sets a password's hash and ends the user's sessions.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn set_password_hash(
        &self,
        name: &str,
        password_hash: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| {
            set(tx, name, user::Column::PasswordHash, Expr::value(password_hash)).await?;
            end_sessions(tx, name).await?;
            let change =
                Change { by, action: "user.password", target: name, detail: json!({}), now };
            audit::write(tx, &change).await
        })
        .await
    }

    /// Gives a user another role.
    ///
    /// # Errors
    /// There is no such user, or nobody would be left to administer.
    pub async fn set_role(&self, name: &str, role: Role, by: &str, now: Timestamp) -> Result<()> {
        self.write(async |tx| {
            set(tx, name, user::Column::Role, Expr::value(role.name())).await?;
            keep_an_admin(tx).await?;
            let detail = json!({ "role": role });
            audit::write(tx, &Change { by, action: "user.role", target: name, detail, now }).await
        })
        .await
    }

    /// Keeps a user from signing in and ends their sessions, or lets them in again.
    ///
    /// # Errors
    /// There is no such user, or nobody would be left to administer.
    pub async fn set_disabled(
        &self,
        name: &str,
        disabled: bool,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| {
            set(tx, name, user::Column::Disabled, Expr::value(disabled)).await?;
            keep_an_admin(tx).await?;
            if disabled {
                end_sessions(tx, name).await?;
            }
            let detail = json!({ "disabled": disabled });
            audit::write(tx, &Change { by, action: "user.disable", target: name, detail, now })
                .await
        })
        .await
    }

    /// Removes a user with their sessions.
    ///
    /// # Errors
    /// There is no such user, or nobody would be left to administer.
    pub async fn delete_user(&self, name: &str, by: &str, now: Timestamp) -> Result<()> {
        self.write(async |tx| {
            if user::Entity::delete_by_id(name).exec(tx).await?.rows_affected == 0 {
                return Err(StateError::not_found("user", name));
            }
            keep_an_admin(tx).await?;
            let change = Change { by, action: "user.delete", target: name, detail: json!({}), now };
            audit::write(tx, &change).await
        })
        .await
    }

    /// Sets the language that a user reads.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn set_user_lang(&self, name: &str, lang: Lang) -> Result<()> {
        self.write(async |tx| set(tx, name, user::Column::Lang, Expr::value(lang.code())).await)
            .await
    }

    /// Notes that a user has signed in.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn note_login(&self, name: &str, now: Timestamp) -> Result<()> {
        self.write(async |tx| {
            set(tx, name, user::Column::LastLogin, Expr::value(now.nanos())).await?;
            let change =
                Change { by: name, action: "user.login", target: name, detail: json!({}), now };
            audit::write(tx, &change).await
        })
        .await
    }
}

fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    let plain = !name.chars().any(char::is_control) && name.trim() == name;
    if (1..=64).contains(&length) && plain {
        return Ok(());
    }
    Err(StateError::Invalid(
        "a user name has 1 to 64 characters, no control characters and no spaces at its ends"
            .to_owned(),
    ))
}

async fn set(
    tx: &DatabaseTransaction,
    name: &str,
    column: user::Column,
    value: Expr,
) -> Result<()> {
    let changed = user::Entity::update_many()
        .col_expr(column, value)
        .filter(user::Column::Name.eq(name))
        .exec(tx)
        .await?;
    if changed.rows_affected == 0 {
        return Err(StateError::not_found("user", name));
    }
    Ok(())
}

async fn keep_an_admin(tx: &DatabaseTransaction) -> Result<()> {
    let admins = user::Entity::find()
        .filter(user::Column::Role.eq(Role::Admin.name()))
        .filter(user::Column::Disabled.eq(false))
        .count(tx)
        .await?;
    if admins > 0 {
        return Ok(());
    }
    Err(StateError::Conflict("at least one administrator must remain".to_owned()))
}

async fn end_sessions(tx: &DatabaseTransaction, name: &str) -> Result<()> {
    session::Entity::delete_many().filter(session::Column::UserName.eq(name)).exec(tx).await?;
    Ok(())
}

/// The user of a row.
pub(super) fn stored(row: user::Model) -> Result<User> {
    Ok(User {
        role: row.role.parse()?,
        lang: from_name("language", &row.lang)?,
        password_hash: row.password_hash,
        disabled: row.disabled,
        created: time(row.created),
        last_login: time_opt(row.last_login),
        name: row.name,
    })
}
