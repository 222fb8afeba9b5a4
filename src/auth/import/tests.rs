use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::sheet::{ListedUser, SheetFlaw, read, write, write_passwords};
use super::*;
use crate::audit::Audit;
use crate::auth::{Settings, Visitor};
use crate::session::{Setting, UserLimits};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

fn auth() -> (Auth, Arc<dyn Store>) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
    let settings = Settings { refusal_floor: Duration::ZERO, ..Settings::default() };
    (Auth::new(store.clone(), Audit::new(store.clone()), settings), store)
}

fn names(results: &[RowResult]) -> Vec<(u64, &str, &'static str)> {
    results.iter().map(|result| (result.line, result.name.as_str(), result.outcome.name())).collect()
}

fn codes(results: &[RowResult]) -> Vec<&'static str> {
    let code = |result: &RowResult| match &result.outcome {
        RowOutcome::Refused(flaw) => flaw.code(),
        other => other.name(),
    };
    results.iter().map(code).collect()
}

#[test]
fn spreadsheets_of_every_kind_are_read() {
    for text in [
        "name,role,password\nann,admin,a fine password\n",
        "\u{feff}Name;ROLE;Password\r\nann;Admin;a fine password\r\n\r\n",
        "password\tname\trole\na fine password\tann\tadmin",
        "name,role,password,,\nann,admin,a fine password\n",
    ] {
        let read = read(text.as_bytes());
        // Columns without a name are not known either.
        let Ok(rows) = read else {
            assert_eq!(read.unwrap_err(), SheetFlaw::ColumnUnknown(String::new()));
            continue;
        };
        let [row] = rows.as_slice() else { panic!("{text}") };
        assert!(row.flaw.is_none() && row.name == "ann" && row.line == 2, "{row:?}");
        assert_eq!((row.role, row.password.clone()), (Some(Role::Admin), Some(secret("a fine password"))));
    }
    let gaps = read(b"\r\n \r\nname\r\n\r\n\r\nann\r\n\"b\r\nob\"\r\ncyd").unwrap();
    let lines: Vec<_> = gaps.iter().map(|row| row.line).collect();
    assert_eq!(lines, [6, 7, 9], "as an editor counts them");
    let quoted = read(b"name,password\n\"Ann \"\"A\"\" Bee\",\" with,comma \"\n").unwrap();
    assert_eq!(quoted[0].name, "Ann \"A\" Bee");
    assert_eq!(quoted[0].password, Some(secret(" with,comma ")));
}

#[test]
fn what_cannot_be_trusted_is_refused_whole() {
    let table = [
        ("", SheetFlaw::Empty),
        (" \n\n", SheetFlaw::Empty),
        ("name\n", SheetFlaw::Empty),
        ("nom\nann\n", SheetFlaw::ColumnUnknown("nom".to_owned())),
        ("role\nadmin\n", SheetFlaw::NoName),
        ("name,Name\nann,ann\n", SheetFlaw::ColumnTwice("name".to_owned())),
    ];
    for (text, flaw) in table {
        assert_eq!(read(text.as_bytes()).unwrap_err(), flaw, "{text:?}");
    }
    assert_eq!(read(b"name\nann\nb\xe9a\n").unwrap_err(), SheetFlaw::NotUtf8 { line: 3 });
    assert_eq!(read(&vec![b'a'; sheet::MOST_BYTES + 1]).unwrap_err(), SheetFlaw::Long);
    let many = format!("name\n{}", "x\n".repeat(sheet::MOST_ROWS + 1));
    assert_eq!(read(many.as_bytes()).unwrap_err(), SheetFlaw::Many);
}

#[test]
fn a_bad_row_is_named_and_costs_no_other() {
    let text = "name,role,max_cpus,templates,max_sessions\nann,teacher,,,\nbob,user,two,,\n\
                cyd,user,\"1,5\",desktop lab,4\ndan,user\neve,user,,,,,\nfay,user,,,,x\n\"g\nh\",user,,,\nian,,default,-,default\n";
    let rows = read(text.as_bytes()).unwrap();
    let flaws: Vec<_> = rows.iter().map(|row| (row.line, row.flaw.as_ref().map(RowFlaw::code))).collect();
    assert_eq!(
        flaws,
        [
            (2, Some("cell_invalid")),
            (3, Some("cell_invalid")),
            (4, None),
            (5, Some("cells_wrong")),
            (6, None),
            (7, Some("cells_wrong")),
            (8, None),
            (10, None)
        ]
    );
    assert_eq!(rows[2].limits.max_cpus, Setting::Own(1.5));
    assert_eq!(
        rows[2].limits.templates,
        Setting::Own(["desktop", "lab"].map(|name| name.parse().unwrap()).into())
    );
    assert_eq!(rows[7].limits.templates, Setting::Own([].into()));
    assert_eq!(
        (&rows[7].limits.max_cpus, &rows[7].limits.max_sessions),
        (&Setting::Follow, &Setting::Follow)
    );
}

#[tokio::test]
async fn a_trial_run_changes_nothing_and_the_run_does_what_it_said() {
    let (auth, store) = auth();
    let new = NewUser { name: "Ann".to_owned(), role: Role::Admin, password: secret("a fine password") };
    auth.create_user(&Actor::cli(), new).await.unwrap();
    let text = "name,role,password,password_hash,max_sessions,must_change\n\
                ANN,,another password,,,\n\
                bob,user,a good password,,5,yes\n\
                cyd,,,,,\n\
                BOB,user,,,,\n\
                dan,,short,,,\n\
                eve,,,plain text,,\n\
                fay,,a fine password,$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie,,\n\
                gil,,,$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie,,\n\
                system,,,,,\n";
    let rows = read(text.as_bytes()).unwrap();
    let planned = auth.plan_import(rows, None).await.unwrap();
    assert_eq!(store.users().await.unwrap().len(), 1, "nothing yet");
    let foreseen: Vec<RowResult> = planned.iter().map(Planned::foreseen).collect();
    assert_eq!(
        codes(&foreseen),
        [
            "exists",
            "created",
            "created",
            "repeated",
            "password_weak",
            "hash_unusable",
            "two_passwords",
            "created",
            "name_invalid"
        ]
    );
    let seen = AtomicUsize::new(0);
    let results =
        auth.carry_out_all(&Actor::cli(), &planned, |done| seen.store(done, Ordering::SeqCst)).await;
    assert_eq!((codes(&results), names(&results)), (codes(&foreseen), names(&foreseen)));
    assert_eq!(seen.load(Ordering::SeqCst), 9);
    let tally = Tally::of(&results);
    assert_eq!(tally, Tally { created: 3, changed: 0, exists: 1, refused: 5 });
    assert_eq!(tally.rows(), 9);

    let visitor = Visitor { address: [192, 0, 2, 1].into(), user_agent: String::new() };
    let RowOutcome::Created { password: Some(made) } = &results[2].outcome else { panic!() };
    for (name, password) in [
        ("ann", &secret("a fine password")),
        ("bob", &secret("a good password")),
        ("cyd", made),
        ("gil", &secret("correctbatteryhorsestapler")),
    ] {
        let login = auth.log_in(name, password, &visitor).await.unwrap();
        assert_eq!(login.principal.must_change, name == "bob", "{name}");
    }
    let bob = store.user_by_name("bob").await.unwrap().unwrap();
    assert_eq!(bob.limits, UserLimits { max_sessions: Some(5), ..UserLimits::default() });

    let again = auth.import(&Actor::cli(), read(text.as_bytes()).unwrap(), |_| ()).await.unwrap();
    let exist = again.iter().filter(|result| result.outcome == RowOutcome::Exists).count();
    assert_eq!(exist, 4, "a second time nothing is left to do: {again:?}");
}

#[tokio::test]
async fn existing_users_change_and_somebody_is_always_left_to_administer() {
    let (auth, store) = auth();
    for (name, role) in [("ann", Role::Admin), ("bob", Role::Admin), ("cyd", Role::User)] {
        let new = NewUser { name: name.to_owned(), role, password: secret("a fine password") };
        auth.create_user(&Actor::cli(), new).await.unwrap();
    }
    let text = b"name,role,disabled,max_cpus\nann,user,,\nbob,user,,\ncyd,,yes,2\n";
    let results = auth.import(&Actor::cli(), read(text).unwrap(), |_| ()).await.unwrap();
    assert_eq!(codes(&results), ["changed", "last_admin", "changed"]);
    assert_eq!(results[2].outcome, RowOutcome::Changed { fields: vec![Field::Disabled, Field::Limits] });
    // Who comes first in the list makes room for who follows.
    let text = b"name,role,disabled,max_cpus\nann,admin,,\nbob,user,,\ncyd,,no,default\n";
    let results = auth.import(&Actor::cli(), read(text).unwrap(), |_| ()).await.unwrap();
    assert_eq!(codes(&results), ["changed"; 3]);
    let users = store.users().await.unwrap();
    let roles: Vec<_> = users.iter().map(|user| (user.role, user.disabled)).collect();
    assert_eq!(roles, [(Role::Admin, false), (Role::User, false), (Role::User, false)]);
    assert!(users.iter().all(|user| user.limits.is_empty()));
}

#[tokio::test]
async fn what_changed_since_the_trial_run_is_left_alone() {
    let (auth, store) = auth();
    let planned = auth.plan_import(read(b"name,role\nann,admin\nbob,\n").unwrap(), None).await.unwrap();
    let new = NewUser { name: "ann".to_owned(), role: Role::User, password: secret("a fine password") };
    auth.create_user(&Actor::cli(), new).await.unwrap();
    let results = auth.carry_out_all(&Actor::cli(), &planned, |_| ()).await;
    assert_eq!(codes(&results), ["changed_meanwhile", "created"]);
    assert_eq!(store.user_by_name("ann").await.unwrap().unwrap().role, Role::User);
}

#[tokio::test]
async fn a_list_does_not_take_the_rights_of_whoever_imports_it() {
    let (auth, store) = auth();
    let text = b"name,role,disabled\nann,admin,\nbob,admin,\n";
    auth.import(&Actor::cli(), read(text).unwrap(), |_| ()).await.unwrap();
    let ann = store.user_by_name("ann").await.unwrap().unwrap().id;
    for text in
        ["name,role,disabled\nann,user,\nbob,user,\n", "name,role,disabled\nANN,admin,yes\nbob,user,\n"]
    {
        let planned = auth.plan_import(read(text.as_bytes()).unwrap(), Some(ann)).await.unwrap();
        let foreseen: Vec<RowResult> = planned.iter().map(Planned::foreseen).collect();
        assert_eq!(codes(&foreseen), ["own_rights", "changed"], "{text}");
    }
}

#[tokio::test]
async fn an_export_is_an_import_that_changes_nothing() {
    let (auth, store) = auth();
    let text = "name,role,disabled,max_sessions,max_cpus,max_memory_mib,templates\n\
                \"Ann, the first\",admin,,,,,\nbob,,yes,3,1.5,4096,desktop lab\ncyd,,,,,,-\n";
    let results = auth.import(&Actor::cli(), read(text.as_bytes()).unwrap(), |_| ()).await.unwrap();
    assert_eq!(codes(&results), ["created"; 3]);
    let export = write(store.users().await.unwrap().into_iter().map(ListedUser::from));
    let again = auth.import(&Actor::cli(), read(export.as_bytes()).unwrap(), |_| ()).await.unwrap();
    assert_eq!(codes(&again), ["exists"; 3], "{export}");
    let made: Vec<_> = results
        .iter()
        .filter_map(|result| match &result.outcome {
            RowOutcome::Created { password: Some(password) } => Some((result.name.clone(), password.clone())),
            _ => None,
        })
        .collect();
    let passwords = write_passwords(&made);
    assert!(passwords.starts_with("name,password\n\"Ann, the first\","), "{passwords}");
    assert_eq!(passwords.lines().count(), 4);
}
