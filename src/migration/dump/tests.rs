use std::io::Cursor;

use proptest::prelude::*;

use super::*;

const MYSQL: &str = include_str!("../../../tests/data/portal-mysql8.sql");
const MARIADB: &str = include_str!("../../../tests/data/portal-mariadb.sql");

fn pieces(text: &str, table: Option<&str>) -> Result<Vec<Piece>, DumpError> {
    let mut pieces = Vec::new();
    read(Cursor::new(text), table, |piece| {
        pieces.push(piece);
        Ok::<(), DumpError>(())
    })?;
    Ok(pieces)
}

fn rows(text: &str) -> Vec<Row> {
    let row = |piece| match piece {
        Piece::Row(row) => Some(row),
        Piece::Table { .. } => None,
    };
    pieces(text, Some("users")).unwrap().into_iter().filter_map(row).collect()
}

fn values(row: &Row, column: &str) -> Cell {
    row.cells.iter().find(|(name, _)| name == column).unwrap().1.clone()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn tables_and_rows_of_both_dumpers_are_found() {
    for dump in [MYSQL, MARIADB] {
        let tables: Vec<String> = pieces(dump, None)
            .unwrap()
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Table { name, .. } => Some(name),
                Piece::Row(_) => None,
            })
            .collect();
        assert_eq!(tables, ["logs", "machines", "users"]);
        let rows = rows(dump);
        assert_eq!(rows.len(), 5);
        assert_eq!(values(&rows[0], "username"), text("ann"));
        let Cell::Text(hash) = values(&rows[0], "password_hash") else { panic!("no hash") };
        assert!(hash.starts_with("$2b$") && hash.len() == 60, "{hash}");
        assert_eq!(values(&rows[2], "username"), text("O'Brien \"the; \\ one\")"));
        assert_eq!(values(&rows[4], "password_hash"), Cell::Null);
    }
}

#[test]
fn statements_about_other_tables_are_no_rows() {
    let dump = "INSERT INTO `logs` VALUES (1,'INSERT INTO `users` VALUES (1)');\n\
                CREATE TABLE `users` (`id` int, `name` varchar(9));\n\
                /*!50003 CREATE TRIGGER t BEGIN INSERT INTO `users` VALUES (7,'x'); END */;;\n\
                DELIMITER ;;\nCREATE PROCEDURE p() BEGIN INSERT INTO `users` VALUES (8,'y'); END ;;\nDELIMITER ;\n\
                -- INSERT INTO `users` VALUES (9,'z');\n\
                INSERT INTO `users` (`name`,`id`) VALUES ('a',1),('b\\'),(',2);\n\
                REPLACE INTO `db`.`users` VALUES (3,_binary 'c'),(-4,0x64C3A9),(5,NULL) ON DUPLICATE KEY UPDATE id=1;\n\
                INSERT IGNORE INTO users values (6,\"it''s\");\n";
    let found: Vec<_> = rows(dump).iter().map(|row| (values(row, "id"), values(row, "name"))).collect();
    let expected = [("1", "a"), ("2", "b'),("), ("3", "c"), ("-4", "dé")];
    let expected: Vec<_> = expected.map(|(id, name)| (text(id), text(name))).into();
    assert_eq!(found[..4], expected);
    assert_eq!(found[4], (text("5"), Cell::Null));
    assert_eq!(found.len(), 6, "{found:?}");
}

#[test]
fn what_mysqldump_never_writes_is_refused_by_line_and_not_repeated() {
    for (dump, line) in [
        ("CREATE TABLE `users` (`a` int);\nINSERT INTO `users` VALUES (1,'hunter2');", 2),
        ("CREATE TABLE `users` (`a` int);\n\nINSERT INTO `users` VALUES (hunter2 + 2);", 3),
        ("CREATE TABLE `users` (`a` int);\nINSERT INTO `users` VALUES ('hunter2", 2),
    ] {
        let error = pieces(dump, Some("users")).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}")) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn memory_is_bounded_whatever_a_dump_holds() {
    let blob = "x".repeat(3 << 20);
    let dump = format!(
        "INSERT INTO `logs` VALUES (1,'{blob}'),(2,'{blob}');\nSET @a = '{blob}';\n\
         CREATE TABLE `users` (`a` int);\nINSERT INTO `users` VALUES (1);\n"
    );
    assert_eq!(rows(&dump).len(), 1);
    let long = format!("CREATE TABLE `users` (`a` text);\nINSERT INTO `users` VALUES ('{blob}');\n");
    assert!(matches!(pieces(&long, Some("users")), Err(DumpError::Odd { line: 2, why: TOO_LONG })));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,300}") {
        let _ = pieces(&text, Some("users"));
    }

    #[test]
    fn every_value_comes_back_as_it_was(name in ".{0,40}", other in "[^\0]{0,40}") {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'").replace('\0', "\\0");
        let dump = format!(
            "CREATE TABLE `users` (\n  `a` text,\n  `b` text\n) ENGINE=InnoDB;\nINSERT INTO `users` VALUES ('{}','{}');\n",
            quoted(&name), quoted(&other),
        );
        let rows = rows(&dump);
        prop_assert_eq!(values(&rows[0], "a"), Cell::Text(name));
        prop_assert_eq!(values(&rows[0], "b"), Cell::Text(other));
    }
}
