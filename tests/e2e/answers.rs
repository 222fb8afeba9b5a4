//! The pages that no address alone leads to: what a form answers, and where a link that was sent leads.

use crate::browser::Browser;
use crate::gateway::PASSWORD;
use crate::pages::Portal;

/// How one of them is reached.
pub struct Answer {
    /// Who reads it, in the words of `pages.txt`.
    pub reader: &'static str,
    /// What it is called in artefacts.
    pub name: &'static str,
    /// The address where one begins; in braces stand machines, as in `pages.txt`, and links.
    pub from: &'static str,
    /// What is pressed on a second page is not on the first, which may still be there.
    steps: &'static [Step],
    /// What is on this page and not on the one before.
    shows: &'static str,
}

/// What one does on the way.
enum Step {
    Press(&'static str),
    /// Into a field; `{language}` is that of the reader, so that what is made is made once.
    Type(&'static str, &'static str),
}

use Step::{Press, Type};

/// Links and their ends.
const LINKS: [Answer; 8] = [
    answer("anyone", "link-access", "/link/{access}", &[], ".panel form button.primary"),
    answer("anyone", "link-remove", "/link/{remove}", &[], ".panel form button.danger"),
    answer("anyone", "link-remove-all", "/link/{remove-all}", &[], ".panel form button.danger"),
    answer(
        "anyone",
        "link-done",
        "/link/{remove-all}",
        &[Press(".panel form button")],
        ".panel [role=status]",
    ),
    answer("guest", "join", "/join?token={invitation}", &[], "form[action='/join']"),
    answer("guest", "join-granted", "/join?token={granted}", &[], ".facts ~ .row a.primary[href^='/s/']"),
    answer("guest", "join-gone", "/join?token=none", &[], ".panel a.primary[href='/']"),
    answer("owner", "join-own", "/join?token={invitation}", &[], ".facts ~ .row a[href$='/share']"),
];

/// What people's forms answer.
const PEOPLE: [Answer; 7] = [
    answer(
        "anyone",
        "login-refused",
        "/login?out=yes",
        &[Type("#name", "ann"), Type("#password", "not hers"), Press("form[action='/login'] button")],
        "#problem",
    ),
    answer(
        "owner",
        "account-refused",
        "/account",
        &[
            Type("#present", PASSWORD),
            Type("#new", "a password of hers"),
            Type("#again", "another"),
            Press("form[action='/account'] button"),
        ],
        "#again-problem",
    ),
    answer(
        "owner",
        "create-refused",
        "/?new=yes",
        &[
            Type("#new-name", "A name that is longer than one may ever be, by a word and by another"),
            Press("#create form button"),
        ],
        "#new-name-problem",
    ),
    answer(
        "owner",
        "home-in-use",
        "/?new=yes",
        &[Press(".choice:has([value=slow])"), Type("#new-name", "Second"), Press("#create form button")],
        "[name=instead_of]",
    ),
    answer(
        "owner",
        "share-made",
        "/sessions/{ready}/share",
        &[
            Press("form[action$='/invitations'] .choice:has([value=helper])"),
            Press("form[action$='/invitations'] button"),
        ],
        "#invite-url",
    ),
    answer(
        "owner",
        "share-refused",
        "/sessions/{ready}/share",
        &[
            Type("#share-name", "nobody"),
            Press("form[action$='/grants'] .choice:has([value=helper])"),
            Press("form[action$='/grants'] button"),
        ],
        "#share-name-problem",
    ),
    answer(
        "owner",
        "token-made-own",
        "/account/tokens",
        &[
            Type("#token-name", "Timetable {language}"),
            Press(".choice:has([name=sessions_read])"),
            Press("form.stack button"),
        ],
        "#made-secret",
    ),
];

/// What the administrator's forms answer.
const ADMIN: [Answer; 12] = [
    answer(
        "admin",
        "bulk-delete",
        "/admin",
        &[
            Press("input[value='{ready}']"),
            Press("input[value='{frozen}']"),
            Press("input[value='{starting}']"),
            Press("#bulk button[value=delete]"),
        ],
        "table.bulk",
    ),
    answer(
        "admin",
        "bulk-stop-done",
        "/admin",
        &[
            Press("input[value='{failed}']"),
            Press("input[value='{stopped}']"),
            Press("#bulk button[value=stop]"),
            Press("form:has([name=sure]) button"),
        ],
        "table.bulk [data-outcome=ok]",
    ),
    answer("admin", "bulk-nothing", "/admin", &[Press("#bulk button[value=stop]")], "main > .row a.primary"),
    answer(
        "admin",
        "user-made",
        "/admin/users",
        &[Press("#create summary"), Type("#new-user", "zoé {language}"), Press("#create form > button")],
        "#made",
    ),
    answer(
        "admin",
        "user-refused",
        "/admin/users",
        &[Press("#create summary"), Type("#new-user", "bob"), Press("#create form > button")],
        "#new-user-problem",
    ),
    answer(
        "admin",
        "import-rows",
        "/admin/user-import",
        &[Type("#text", LIST), Press("form.stack button")],
        "[data-result=refused]",
    ),
    answer(
        "admin",
        "import-done",
        "/admin/user-import",
        &[
            Type("#text", LIST),
            Press("form.stack button"),
            Press("form[action^='/admin/user-import/'] button"),
        ],
        "form[action$='/passwords'] button",
    ),
    answer(
        "admin",
        "import-refused",
        "/admin/user-import",
        &[Type("#text", "nom\n"), Press("form.stack button")],
        "#problem",
    ),
    answer(
        "admin",
        "token-made",
        "/admin/tokens",
        &[
            Type("#token-name", "Timetable {language}"),
            Type("#token-user", "bob"),
            Press(".choice:has([name=admin])"),
            Press("form.stack button"),
        ],
        "#made-secret",
    ),
    answer(
        "admin",
        "kiosk-link-made",
        "/admin/links",
        &[
            Press(".choice:has([value=access])"),
            Type("#link-client", "Salle d’été 7"),
            Press("form.stack button"),
        ],
        "#made-url",
    ),
    answer(
        "admin",
        "kiosk-link-refused",
        "/admin/links",
        &[Press(".choice:has([value=remove])"), Press("form.stack button")],
        "#link-client-problem",
    ),
    answer("admin", "user-home-in-use", "/admin/users/ann/home/{copy}", &[], ".panel .problem"),
];

/// Rows of every result.
const LIST: &str = "name;role\nyann {language};user\nbob;admin\nann;user\nxav;teacher\n";

const fn answer(
    reader: &'static str,
    name: &'static str,
    from: &'static str,
    steps: &'static [Step],
    shows: &'static str,
) -> Answer {
    Answer { reader, name, from, steps, shows }
}

/// Those that a kind of reader gets.
pub fn answers(reader: &str) -> impl Iterator<Item = &'static Answer> {
    LINKS.iter().chain(&PEOPLE).chain(&ADMIN).filter(move |answer| answer.reader == reader)
}

impl Answer {
    /// Goes on from where one begins, until the page is there.
    pub async fn reach(&self, browser: &Browser, portal: &Portal, language: &str) {
        for step in self.steps {
            match step {
                Press(css) => browser.click(&portal.fill(css)).await,
                Type(css, text) => {
                    let field = browser.wait_for(css).await;
                    field.clear().await.expect("a field");
                    field.send_keys(text.replace("{language}", language)).await.expect("typing");
                }
            }
        }
        browser.wait_for(self.shows).await;
        browser.until("document.readyState === 'complete'").await;
    }
}
