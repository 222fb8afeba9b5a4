//! The environment a container begins with.

use std::collections::BTreeMap;

use super::{Settings, homes};
use crate::engine::StartOrder;
use crate::language::Language;
use crate::session::Template;

/// What every session finds out about itself, unless its template says otherwise: its name, the
/// time zone, its owner's language. Values are texts without control characters.
pub(super) fn of(settings: &Settings, template: &Template, order: &StartOrder) -> Vec<String> {
    let ours = [
        ("TITLE", Some(order.title.as_str())),
        ("TZ", settings.time_zone.as_deref()),
        ("LANG", order.language.map(locale)),
    ];
    let mut all: BTreeMap<&str, &str> =
        ours.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect();
    all.extend(template.env.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    all.extend(template.password_env.iter().map(|key| (key.as_str(), order.secret.expose().as_str())));
    let own = all.into_iter().map(|(key, value)| format!("{key}={value}"));
    own.chain(homes::environment(settings, template)).collect()
}

fn locale(language: Language) -> &'static str {
    match language {
        Language::English => "en_US.UTF-8",
        Language::French => "fr_FR.UTF-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::contract::order;
    use crate::engine::fake::template;
    use crate::session::Protocol;

    #[test]
    fn a_template_s_own_words_win() {
        let mut template = template("t".parse().unwrap(), Protocol::Http);
        let settings = Settings { time_zone: Some("Europe/Paris".into()), ..Settings::default() };
        let mut order = order(&template.name, 1);
        order.title = "LANG=x; Ma machine".parse().unwrap();
        assert_eq!(of(&settings, &template, &order), ["TITLE=LANG=x; Ma machine", "TZ=Europe/Paris"]);
        order.language = Some(Language::French);
        template.env.insert("TZ".into(), "Asia/Tokyo".into());
        template.env.insert("KEYBOARD".into(), "fr".into());
        template.password_env = Some("SECRET".into());
        let secret = format!("SECRET={}", order.secret.expose());
        let expected =
            ["KEYBOARD=fr", "LANG=fr_FR.UTF-8", &secret, "TITLE=LANG=x; Ma machine", "TZ=Asia/Tokyo"];
        assert_eq!(of(&settings, &template, &order), expected);
    }
}
