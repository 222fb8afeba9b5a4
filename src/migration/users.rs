//! From rows of the lab portal's users table to users.

use std::collections::HashMap;
use std::io::{BufRead, Seek};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use thiserror::Error;

use super::dump::{self, Cell, DumpError, Piece, Row};
use crate::secret::Secret;
use crate::store::Role;

/// The names that such a table has, the likeliest first.
const TABLES: [&str; 6] = ["users", "user", "utilisateurs", "utilisateur", "accounts", "account"];

const NAMES: [&str; 7] =
    ["username", "user_name", "login", "name", "nom_utilisateur", "identifiant", "email"];
const PASSWORDS: [&str; 9] = [
    "password_hash",
    "hashed_password",
    "pwd_hash",
    "pw_hash",
    "password",
    "passwd",
    "mot_de_passe",
    "hash",
    "pwd",
];
const ROLES: [&str; 7] = ["role", "is_admin", "admin", "user_role", "is_superuser", "isadmin", "type"];
const MADE: [&str; 6] =
    ["created_at", "created", "created_on", "date_created", "registered_at", "date_creation"];
const ACTIVE: [&str; 6] = ["active", "is_active", "enabled", "is_enabled", "actif", "status"];
const DISABLED: [&str; 4] = ["disabled", "is_disabled", "blocked", "is_blocked"];

/// A user as the dump has them.
#[derive(Debug)]
pub struct PortalUser {
    /// Where in the dump.
    pub line: usize,
    /// The name they log in with.
    pub name: String,
    /// Their hash; `None` if the dump has none.
    pub password_hash: Option<Secret<String>>,
    /// What they may do.
    pub role: Role,
    /// When they were created, if the dump says so.
    pub created_at: Option<Timestamp>,
    /// Whether they may log in.
    pub active: bool,
}

/// Why no users can be read.
#[derive(Debug, Error)]
pub enum UsersError {
    /// The dump itself.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// No table looks like one of users.
    #[error("no table has a column for names and one for passwords; it has: {0}")]
    NoTable(String),
    /// The named table is not there, or lacks a column.
    #[error("the table {table} {why}")]
    Unfit {
        /// Which.
        table: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Reads the users out of a dump: of `table`, or of the one that looks like it. It is read twice,
/// because a table is known by its columns.
///
/// # Errors
/// [`UsersError`].
pub fn read(mut dump: impl BufRead + Seek, table: Option<&str>) -> Result<Vec<PortalUser>, UsersError> {
    let mut tables: HashMap<String, Vec<String>> = HashMap::new();
    dump::read(&mut dump, None, |piece| {
        if let Piece::Table { name, columns } = piece {
            tables.insert(name, columns);
        }
        Ok::<(), UsersError>(())
    })?;
    let table = choose(&tables, table)?;
    dump.rewind().map_err(DumpError::from)?;
    let mut users = Vec::new();
    dump::read(&mut dump, Some(&table), |piece| {
        if let Piece::Row(row) = piece {
            users.extend(user(&row));
        }
        Ok::<(), UsersError>(())
    })?;
    Ok(users)
}

fn choose(tables: &HashMap<String, Vec<String>>, wanted: Option<&str>) -> Result<String, UsersError> {
    let fits = |columns: &Vec<String>| {
        let has = |names: &[&str]| {
            names.iter().any(|name| columns.iter().any(|own| own.eq_ignore_ascii_case(name)))
        };
        has(&NAMES) && has(&PASSWORDS)
    };
    if let Some(wanted) = wanted {
        let unfit = |why| UsersError::Unfit { table: wanted.to_owned(), why };
        let columns = tables.get(wanted).ok_or_else(|| unfit("is not in the dump"))?;
        return if fits(columns) {
            Ok(wanted.to_owned())
        } else {
            Err(unfit("has no column for names or passwords"))
        };
    }
    let likely = TABLES.iter().find(|name| tables.get(**name).is_some_and(fits));
    if let Some(name) = likely {
        return Ok((*name).to_owned());
    }
    let mut fitting: Vec<&String> =
        tables.iter().filter(|(_, columns)| fits(columns)).map(|(name, _)| name).collect();
    match fitting.as_mut_slice() {
        [one] => Ok((*one).clone()),
        _ => {
            let mut names: Vec<_> = tables.keys().cloned().collect();
            names.sort();
            Err(UsersError::NoTable(names.join(", ")))
        }
    }
}

/// A row without a name is nobody.
fn user(row: &Row) -> Option<PortalUser> {
    let text = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| {
            let cell = row.cells.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
            cell.and_then(|(own, cell)| match cell {
                Cell::Text(text) if !text.trim().is_empty() => {
                    Some((own.to_ascii_lowercase(), text.trim().to_owned()))
                }
                Cell::Text(_) | Cell::Null => None,
            })
        });
        found.next()
    };
    let (_, name) = text(&NAMES)?;
    let active =
        text(&ACTIVE).is_none_or(|(_, value)| is_yes(&value) || value.eq_ignore_ascii_case("active"));
    let disabled = text(&DISABLED).is_some_and(|(_, value)| is_yes(&value));
    Some(PortalUser {
        line: row.line,
        name,
        password_hash: text(&PASSWORDS).map(|(_, hash)| Secret::new(hash)),
        role: text(&ROLES).map_or(Role::User, |(column, value)| role(&column, &value)),
        created_at: text(&MADE).and_then(|(_, value)| time(&value)),
        active: active && !disabled,
    })
}

fn role(column: &str, value: &str) -> Role {
    let is_flag = column.contains("admin") || column.contains("super");
    let value = value.to_ascii_lowercase();
    let admin = if is_flag {
        is_yes(&value)
    } else {
        ["admin", "administrator", "administrateur", "superuser", "root"].contains(&value.as_str())
    };
    if admin { Role::Admin } else { Role::User }
}

/// Booleans of MySQL are small numbers; a `bit` is a byte.
fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "y" | "oui" | "enabled" | "\u{1}")
}

/// `2026-01-31 08:15:00`, with or without a fraction; the portal's clock is taken for UTC.
fn time(value: &str) -> Option<Timestamp> {
    if let Ok(at) = value.parse::<Timestamp>() {
        return Some(at);
    }
    let civil: DateTime = value.replace(' ', "T").parse().ok()?;
    Some(TimeZone::UTC.to_zoned(civil).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read_all(dump: &str) -> Vec<PortalUser> {
        read(Cursor::new(dump), None).unwrap()
    }

    #[test]
    fn the_portal_s_users_are_read_with_hash_role_time_and_state() {
        for dump in [
            include_str!("../../tests/data/portal-mysql8.sql"),
            include_str!("../../tests/data/portal-mariadb.sql"),
        ] {
            let users = read_all(dump);
            let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
            assert_eq!(names, ["ann", "root", "O'Brien \"the; \\ one\")", "Élodie", "newcomer"]);
            assert_eq!(users[1].role, Role::Admin);
            assert_eq!((users[0].role, users[3].role), (Role::User, Role::User));
            assert_eq!(users[0].created_at.unwrap().to_string(), "2025-09-01T08:15:00Z");
            assert_eq!(
                users.iter().map(|user| user.active).collect::<Vec<_>>(),
                [true, true, true, false, true]
            );
            assert!(users[4].password_hash.is_none() && users[0].password_hash.is_some());
        }
    }

    #[test]
    fn columns_are_found_by_their_usual_names() {
        let users = read_all(
            "CREATE TABLE `accounts` (`id` int, `Login` text, `passwd` text, `is_admin` tinyint(1), `disabled` bit(1));\n\
             INSERT INTO `accounts` VALUES (1,'ann','$2y$10$x',1,b'0'),(2,'bob',NULL,0,'\u{1}'),(3,NULL,'x',0,0);\n",
        );
        assert_eq!(users.len(), 2);
        assert_eq!((users[0].role, users[0].active), (Role::Admin, true));
        assert_eq!((users[1].role, users[1].active), (Role::User, false));
    }

    #[test]
    fn a_dump_without_users_says_what_it_has() {
        let error = read(Cursor::new("CREATE TABLE `pages` (`id` int);"), None).unwrap_err().to_string();
        assert!(error.contains("pages"), "{error}");
        let error =
            read(Cursor::new("CREATE TABLE `pages` (`id` int);"), Some("users")).unwrap_err().to_string();
        assert!(error.contains("users is not in the dump"), "{error}");
    }
}
