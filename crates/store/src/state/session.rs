//! Signed-in browsers and one-time links. Tokens are never stored, only their hashes.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder};
use vigie_event::Timestamp;

use super::entity::{login_link, session, user};
use super::rows::time;
use super::user::{User, stored};
use super::{Result, State};

/// A session to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Hash of the token that the browser holds.
    pub token_hash: String,
    /// Who signed in.
    pub user: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The browser, for people to tell their sessions apart; hostile, cut at 200 characters.
    pub client: String,
}

/// A signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Hash of the token that the browser holds.
    pub token_hash: String,
    /// Who signed in.
    pub user: User,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used.
    pub last_seen: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// The browser; hostile.
    pub client: String,
}

impl State {
    /// Begins a session; sessions that are over are removed on the way.
    ///
    /// # Errors
    /// There is no such user, or the token's hash is in use.
    pub async fn create_session(&self, new: &NewSession, now: Timestamp) -> Result<()> {
        let client: String = new.client.chars().take(200).collect();
        self.write(async |tx| {
            session::Entity::delete_many()
                .filter(session::Column::Expires.lte(now.nanos()))
                .exec(tx)
                .await?;
            let row = session::ActiveModel {
                token_hash: Set(new.token_hash.clone()),
                user_name: Set(new.user.clone()),
                created: Set(now.nanos()),
                last_seen: Set(now.nanos()),
                expires: Set(new.expires.nanos()),
                client: Set(client),
            };
            session::Entity::insert(row).exec_without_returning(tx).await?;
            Ok(())
        })
        .await
    }

    /// The session whose token has this hash, unless it is over at `now` or its user is disabled.
    pub async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<Session>> {
        self.read(async |db| {
            let row = session::Entity::find_by_id(token_hash)
                .filter(session::Column::Expires.gt(now.nanos()))
                .one(db)
                .await?;
            let Some(row) = row else { return Ok(None) };
            let user = user::Entity::find_by_id(&row.user_name)
                .filter(user::Column::Disabled.eq(false))
                .one(db)
                .await?;
            let Some(user) = user else { return Ok(None) };
            Ok(Some(session_of(row, stored(user)?)))
        })
        .await
    }

    /// The sessions of a user, last used first.
    pub async fn sessions_of(&self, name: &str, now: Timestamp) -> Result<Vec<Session>> {
        self.read(async |db| {
            let Some(user) = user::Entity::find_by_id(name).one(db).await? else {
                return Ok(Vec::new());
            };
            let user = stored(user)?;
            let rows = session::Entity::find()
                .filter(session::Column::UserName.eq(name))
                .filter(session::Column::Expires.gt(now.nanos()))
                .order_by_desc(session::Column::LastSeen)
                .all(db)
                .await?;
            Ok(rows.into_iter().map(|row| session_of(row, user.clone())).collect())
        })
        .await
    }

    /// Notes that a session is in use and sets its end. Each call is a write: call it once a
    /// minute or so, not on each request.
    pub async fn touch_session(
        &self,
        token_hash: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| {
            session::Entity::update_many()
                .col_expr(session::Column::LastSeen, Expr::value(now.nanos()))
                .col_expr(session::Column::Expires, Expr::value(expires.nanos()))
                .filter(session::Column::TokenHash.eq(token_hash))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
    }

    /// Ends a session; there need not be one.
    pub async fn delete_session(&self, token_hash: &str) -> Result<()> {
        self.write(async |tx| {
            session::Entity::delete_by_id(token_hash).exec(tx).await?;
            Ok(())
        })
        .await
    }

    /// Keeps a link that signs `user` in once, until `expires`.
    ///
    /// # Errors
    /// There is no such user.
    pub async fn create_login_link(
        &self,
        token_hash: &str,
        user: &str,
        expires: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| {
            let row = login_link::ActiveModel {
                token_hash: Set(token_hash.to_owned()),
                user_name: Set(user.to_owned()),
                expires: Set(expires.nanos()),
            };
            login_link::Entity::insert(row).exec_without_returning(tx).await?;
            Ok(())
        })
        .await
    }

    /// Uses up a link: whom it signs in. `None` where there is no such link, it was used, its time
    /// is over at `now`, or its user is disabled. Links that are over are removed on the way.
    pub async fn take_login_link(&self, token_hash: &str, now: Timestamp) -> Result<Option<User>> {
        // Whoever guesses must not take the writers' turn.
        let known = self
            .read(async |db| {
                Ok(login_link::Entity::find_by_id(token_hash).one(db).await?.is_some())
            })
            .await?;
        if !known {
            return Ok(None);
        }
        self.write(async |tx| {
            let row = login_link::Entity::find_by_id(token_hash).one(tx).await?;
            login_link::Entity::delete_many()
                .filter(
                    login_link::Column::TokenHash
                        .eq(token_hash)
                        .or(login_link::Column::Expires.lte(now.nanos())),
                )
                .exec(tx)
                .await?;
            let Some(row) = row.filter(|row| time(row.expires) > now) else { return Ok(None) };
            let user = user::Entity::find_by_id(&row.user_name)
                .filter(user::Column::Disabled.eq(false))
                .one(tx)
                .await?;
            user.map(stored).transpose()
        })
        .await
    }
}

fn session_of(row: session::Model, user: User) -> Session {
    Session {
        token_hash: row.token_hash,
        user,
        created: time(row.created),
        last_seen: time(row.last_seen),
        expires: time(row.expires),
        client: row.client,
    }
}
