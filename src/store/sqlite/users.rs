//! Users in SQL.

use jiff::Timestamp;
use rusqlite::{Connection, ToSql, named_params, params};

use super::failure::Refusal;
use super::rows::{self, one, run, time};
use crate::language::Language;
use crate::look::Look;
use crate::secret::Secret;
use crate::session::UserId;
use crate::store::{Role, User, UserOrder, UserPage, UserQuery};

pub(super) fn insert(connection: &Connection, user: &User) -> Result<(), Refusal> {
    let sql = "INSERT INTO users (id, name, role, password_hash, disabled, created_at, last_login_at,
                                  must_change, limits, language, look)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    write(connection, sql, user)?;
    Ok(())
}

pub(super) fn update(connection: &Connection, user: &User) -> Result<(), Refusal> {
    let sql = "UPDATE users SET name = ?2, role = ?3, password_hash = ?4, disabled = ?5,
                                created_at = ?6, last_login_at = ?7, must_change = ?8,
                                limits = ?9, language = ?10, look = ?11
               WHERE id = ?1";
    one_row(write(connection, sql, user)?)
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<Option<User>, Refusal> {
    Ok(one(connection, "SELECT * FROM users WHERE name = ?1 COLLATE NOCASE", [name], rows::user)?)
}

pub(super) fn by_id(connection: &Connection, id: UserId) -> Result<Option<User>, Refusal> {
    Ok(one(connection, "SELECT * FROM users WHERE id = ?1", [id.to_string()], rows::user)?)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<User>, Refusal> {
    Ok(rows::all(connection, "SELECT * FROM users ORDER BY name COLLATE NOCASE", [], rows::user)?)
}

pub(super) fn find(connection: &Connection, query: &UserQuery) -> Result<UserPage, Refusal> {
    const WANTED: &str = "instr(lower(name), lower(:search)) > 0
                          AND (:role IS NULL OR role = :role)
                          AND (:disabled IS NULL OR disabled = :disabled)";
    let key = match query.order {
        UserOrder::Name => "''",
        UserOrder::Created => "created_at",
        UserOrder::LastLogin => "coalesce(last_login_at, '')",
    };
    // What stands before a place is read from there backwards, and turned round in the end.
    let backwards = query.before.is_some();
    let (than, newest, first) = if backwards { (">", "ASC", "DESC") } else { ("<", "DESC", "ASC") };
    // Names sort without regard to case, as the column says; they are unique, so every place is one.
    let beyond = match query.order {
        UserOrder::Name => format!(":name {than} name"),
        UserOrder::Created | UserOrder::LastLogin => format!("({key}, :name) {than} (:key, name)"),
    };
    let role = query.role.map(Role::name);
    let total: i64 =
        connection.prepare_cached(&format!("SELECT count(*) FROM users WHERE {WANTED}"))?.query_row(
            named_params! { ":search": query.search, ":role": role, ":disabled": query.disabled },
            |row| row.get(0),
        )?;
    let sql = format!(
        "SELECT * FROM users WHERE {WANTED} AND (:name IS NULL OR {beyond})
         ORDER BY {key} {newest}, name {first} LIMIT :most"
    );
    // One more than asked for tells whether there are any more.
    let most = i64::try_from(query.limit.saturating_add(1)).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let place = query.before.as_ref().or(query.after.as_ref());
    let mut values: Vec<(&str, &dyn ToSql)> =
        vec![(":search", &query.search), (":role", &role), (":disabled", &query.disabled), (":most", &most)];
    let (key, name) = (place.map(|place| &place.key), place.map(|place| &place.name));
    values.push((":name", &name));
    if query.order != UserOrder::Name {
        values.push((":key", &key));
    }
    let mut users: Vec<User> =
        statement.query_map(values.as_slice(), rows::user)?.collect::<rusqlite::Result<_>>()?;
    let more = users.len() > query.limit;
    users.truncate(query.limit);
    if backwards {
        users.reverse();
    }
    Ok(UserPage { users, total: usize::try_from(total).unwrap_or_default(), more })
}

/// Logins and tickets go by cascade.
pub(super) fn remove(connection: &Connection, id: UserId) -> Result<(), Refusal> {
    run(connection, "DELETE FROM users WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

pub(super) fn note_login(
    connection: &Connection,
    user: UserId,
    at: Timestamp,
    verified: &Secret<String>,
    rehashed: Option<&Secret<String>>,
) -> Result<(), Refusal> {
    let sql = "UPDATE users SET last_login_at = ?2, password_hash = coalesce(?4, password_hash)
               WHERE id = ?1 AND password_hash = ?3 AND NOT disabled";
    let rehashed = rehashed.map(Secret::expose);
    one_row(run(connection, sql, params![user.to_string(), time(at), verified.expose(), rehashed])?)
}

fn write(connection: &Connection, sql: &str, user: &User) -> rusqlite::Result<usize> {
    let values = params![
        user.id.to_string(),
        user.name,
        user.role.name(),
        user.password_hash.expose(),
        user.disabled,
        time(user.created_at),
        user.last_login_at.map(time),
        user.must_change,
        rows::limits(&user.limits)?,
        user.preferences.language.map(Language::tag),
        user.preferences.look.map(Look::name),
    ];
    run(connection, sql, values)
}

fn one_row(changed: usize) -> Result<(), Refusal> {
    if changed == 1 { Ok(()) } else { Err(Refusal::Stale) }
}
